// The time of what is made: given, or by the convention of reproducible builds.

import { ImageError } from "../bytes/index.ts";

/** SOURCE_DATE_EPOCH, if it is set. @throws ImageError "invalid-argument" */
export function sourceDateEpoch(): number | undefined {
  const text = process.env["SOURCE_DATE_EPOCH"];
  if (text === undefined || text === "") return undefined;
  if (!/^\d+$/.test(text)) {
    throw new ImageError("invalid-argument", `SOURCE_DATE_EPOCH="${text}": must be whole seconds since 1970`);
  }
  return Number(text);
}
