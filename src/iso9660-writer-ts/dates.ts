// The two date formats of ECMA-119: 7 bytes in directory records (9.1.5), 17 in volume descriptors (8.4.26.1).
// Both become seconds since 1970-01-01T00:00:00Z, or undefined when no date is recorded; all dates are written as UTC.

import { byteString, type FieldType, writeByteString } from "../bytes/index.ts";

const GMT_UNIT_SECONDS = 15 * 60;
/** ECMA-119 8.4.26.1: the offset from Greenwich lies in -48 … +52 quarters of an hour. */
const MIN_GMT_UNITS = -48;
const MAX_GMT_UNITS = 52;

interface Civil {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

const NONE: Civil = { year: 0, month: 1, day: 1, hour: 0, minute: 0, second: 0 };

/** Files of one build often share a time, and each has it in its record twice. */
let lastCivil: readonly [seconds: number, fields: Civil] = [Number.NaN, NONE];

function civil(seconds: number): Civil {
  if (lastCivil[0] !== seconds) lastCivil = [seconds, civilOf(seconds)];
  return lastCivil[1];
}

const DAY_SECONDS = 24 * 60 * 60;
/** Files of one build are often of one day: its date is looked for once. */
let lastDay: readonly [days: number, date: Pick<Civil, "year" | "month" | "day">] = [Number.NaN, NONE];

function civilOf(seconds: number): Civil {
  const days = Math.floor(seconds / DAY_SECONDS);
  if (lastDay[0] !== days) {
    const date = new Date(days * DAY_SECONDS * 1000);
    lastDay = [days, { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() }];
  }
  const { year, month, day } = lastDay[1];
  const time = seconds - days * DAY_SECONDS;
  return {
    year,
    month,
    day,
    hour: Math.floor(time / 3600),
    minute: Math.floor(time / 60) % 60,
    second: time % 60,
  };
}

/**
 * Seconds, or undefined when the fields are no date (month 0, hour 24 …). An offset that cannot be counts as none, as
 * libarchive has it: genisoimage writes such ones for years after 2030.
 */
function secondsOf({ year, month, day, hour, minute, second }: Civil, gmtUnits: number): number | undefined {
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day); // Date.UTC would take the years 0..99 as 1900..1999
  date.setUTCHours(hour, minute, second);
  const offset = gmtUnits >= MIN_GMT_UNITS && gmtUnits <= MAX_GMT_UNITS ? gmtUnits : 0;
  return date.getTime() / 1000 - offset * GMT_UNIT_SECONDS;
}

const FIRST_SHORT_YEAR = 1900;
const LAST_SHORT_YEAR = FIRST_SHORT_YEAR + 255;
const FIRST_LONG_YEAR = 1;
const LAST_LONG_YEAR = 9999;

const startOf = (year: number): number => secondsOf({ ...NONE, year }, 0) ?? 0;
const SHORT_RANGE = [startOf(FIRST_SHORT_YEAR), startOf(LAST_SHORT_YEAR + 1)] as const;
const LONG_RANGE = [startOf(FIRST_LONG_YEAR), startOf(LAST_LONG_YEAR + 1)] as const;

/** Whether the 7-byte form can hold this time. */
export function fitsDate7(seconds: number): boolean {
  return seconds >= SHORT_RANGE[0] && seconds < SHORT_RANGE[1];
}

/** Whether the 17-byte form can hold this time; any time that is no whole second is held by none. */
export function fitsDate17(seconds: number): boolean {
  return Number.isSafeInteger(seconds) && seconds >= LONG_RANGE[0] && seconds < LONG_RANGE[1];
}

/** 9.1.5: all seven bytes are zero where no date is recorded. */
const NO_DATE7: Civil = { year: FIRST_SHORT_YEAR, month: 0, day: 0, hour: 0, minute: 0, second: 0 };

/** ECMA-119 9.1.5: years since 1900, month, day, hour, minute, second, offset from GMT in quarters of an hour. */
export const date7: FieldType<number | undefined> = {
  name: "date[7]",
  sizeBytes: 7,
  zero: undefined,
  read(view, offset) {
    const at = (i: number): number => view.getUint8(offset + i);
    const fields = {
      year: FIRST_SHORT_YEAR + at(0),
      month: at(1),
      day: at(2),
      hour: at(3),
      minute: at(4),
      second: at(5),
    };
    return secondsOf(fields, view.getInt8(offset + 6));
  },
  write(view, offset, seconds) {
    if (seconds !== undefined && !fitsDate7(seconds)) {
      throw new RangeError(`time ${seconds} is outside of the years ${FIRST_SHORT_YEAR}..${LAST_SHORT_YEAR}`);
    }
    const { year, month, day, hour, minute, second } = seconds === undefined ? NO_DATE7 : civil(seconds);
    view.setUint8(offset, year - FIRST_SHORT_YEAR);
    view.setUint8(offset + 1, month);
    view.setUint8(offset + 2, day);
    view.setUint8(offset + 3, hour);
    view.setUint8(offset + 4, minute);
    view.setUint8(offset + 5, second);
    view.setInt8(offset + 6, 0);
  },
};

/** Digits of each field of the 17-byte form: year, month, day, hour, minute, second, hundredths. */
const DIGITS = [4, 2, 2, 2, 2, 2, 2] as const;
const DATE_DIGITS = 16;

/** ECMA-119 8.4.26.1: sixteen digits, then the offset from GMT; all digits "0" where no date is recorded. */
export const date17: FieldType<number | undefined> = {
  name: "date[17]",
  sizeBytes: DATE_DIGITS + 1,
  zero: undefined,
  read(view, offset) {
    const text = byteString(new Uint8Array(view.buffer, view.byteOffset + offset, DATE_DIGITS));
    if (!/^\d{16}$/.test(text)) return undefined;
    let at = 0;
    const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = DIGITS.map((digits) => {
      at += digits;
      return Number(text.slice(at - digits, at));
    });
    return secondsOf({ year, month, day, hour, minute, second }, view.getInt8(offset + DATE_DIGITS));
  },
  write(view, offset, seconds) {
    const { year, month, day, hour, minute, second } =
      seconds === undefined ? { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 } : civil(seconds);
    if (seconds !== undefined && !fitsDate17(seconds)) {
      throw new RangeError(`time ${seconds} is outside of the years ${FIRST_LONG_YEAR}..${LAST_LONG_YEAR}`);
    }
    const digits = [year, month, day, hour, minute, second, 0].map((value, i) =>
      String(value).padStart(DIGITS[i] ?? 0, "0"),
    );
    const bytes = new Uint8Array(view.buffer, view.byteOffset + offset, DATE_DIGITS + 1);
    bytes[DATE_DIGITS] = 0;
    writeByteString(digits.join(""), bytes);
  },
};
