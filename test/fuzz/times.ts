/** How many times as many cases: 1 in `npm test`, more in `npm run test:fuzz`, where vitest.config.ts says how many. */
export const TIMES: number = Number(process.env["PUREBOOT_FUZZ"] ?? 1);
