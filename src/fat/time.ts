// FAT's times: two seconds' steps from 1980 to 2107, without a time zone. Ours are UTC, as those of UEFI firmware that
// has no zone set; a reader in another zone shows them shifted, but the same everywhere.

/** A DIR_WrtDate and DIR_WrtTime pair, with what goes into DIR_CrtTimeTenth (10 ms units, here 0 or 100). */
export interface FatTime {
  readonly date: number;
  readonly time: number;
  readonly tenth: number;
}

const FIRST_YEAR = 1980;
const EARLIEST = Date.UTC(FIRST_YEAR, 0, 1) / 1000;
const LATEST = Date.UTC(FIRST_YEAR + 127, 11, 31, 23, 59, 59) / 1000;

/** Times before 1980 and after 2107 become the first and the last that FAT has. */
export function toFatTime(seconds: number): FatTime {
  const when = new Date(Math.min(Math.max(seconds, EARLIEST), LATEST) * 1000);
  return {
    date: ((when.getUTCFullYear() - FIRST_YEAR) << 9) | ((when.getUTCMonth() + 1) << 5) | when.getUTCDate(),
    time: (when.getUTCHours() << 11) | (when.getUTCMinutes() << 5) | (when.getUTCSeconds() >> 1),
    tenth: (when.getUTCSeconds() % 2) * 100,
  };
}

/** Seconds since 1970; undefined when the fields are no date (all zero: the writer had no clock). */
export function fromFatTime(date: number, time: number): number | undefined {
  const [year, month, day] = [FIRST_YEAR + (date >> 9), (date >> 5) & 15, date & 31];
  const [hour, minute, second] = [time >> 11, (time >> 5) & 63, (time & 31) * 2];
  const milliseconds = Date.UTC(year, month - 1, day, hour, minute, second);
  const when = new Date(milliseconds);
  const real = month >= 1 && when.getUTCMonth() === month - 1 && when.getUTCDate() === day;
  return real && hour < 24 && minute < 60 && second < 60 ? milliseconds / 1000 : undefined;
}

/** The mtime that a tree gets back after a round through FAT. */
export function roundedToFat(seconds: number): number {
  const { date, time } = toFatTime(seconds);
  return fromFatTime(date, time) ?? EARLIEST;
}
