// What mkfs prints about the file system that it makes: size, groups, and where the superblock copies are (mkfs.c).

import { cgsblock, type Superblock } from "./superblock.ts";

const WIDTH = 80;
const MIB = 2 ** 20;

/** Lines as mkfs prints them, for the device or image `special`. */
export function mkfsReport(sb: Superblock, special: string): string[] {
  const sectors = sb.fs_size * sb.fs_nspf;
  const megabytes = (frags: number): number => Math.fround(Math.fround(Math.fround(frags) * sb.fs_fsize) / MIB);
  const lines = [
    `${special}:\t${sectors} sectors in ${sb.fs_ncyl} cylinders of ${sb.fs_ntrak} tracks, ${sb.fs_nsect} sectors`,
    `\t${printed(megabytes(sb.fs_size), 1)}MB in ${sb.fs_ncg} cyl groups ` +
      `(${sb.fs_cpg} c/g, ${printed(megabytes(sb.fs_fpg), 2)}MB/g, ${sb.fs_ipg} i/g)`,
    "super-block backups (for fsck -F ufs -o b=#) at:",
  ];
  const numbers = superblockCopies(sb).map((sector, group) => ` ${sector}${isLastOfMany(sb, group) ? "" : ","}`);
  lines.push(...wrap(numbers.slice(0, 10)));
  // Between the first ten and the last ten, a dot for every fifty groups.
  const between = sb.fs_ncg - 10 > 300;
  if (between) {
    const dots = Math.floor((sb.fs_ncg - 11) / 50);
    lines.push("Initializing cylinder groups:", ...wrap(Array.from({ length: dots }, () => ".")));
    lines.push("super-block backups for last 10 cylinder groups at:");
  }
  if (sb.fs_ncg > 10) lines.push(...wrap(numbers.slice(Math.max(10, sb.fs_ncg - 10))));
  return lines;
}

/** As printf's "%.1f": what lies exactly between two goes to the even one (toFixed would go up). */
function printed(value: number, digits: number): string {
  const scaled = value * 10 ** digits;
  const below = Math.floor(scaled);
  const isTie = scaled - below === 0.5;
  return ((isTie ? below + (below % 2) : Math.round(scaled)) / 10 ** digits).toFixed(digits);
}

/** Sectors of the superblock copies, by group: what `fsck -o b=` takes. */
export function superblockCopies(sb: Superblock): number[] {
  return Array.from({ length: sb.fs_ncg }, (_, group) => cgsblock(sb, group) * sb.fs_nspf);
}

/** mkfs leaves out the last comma, but only where it prints the last groups by themselves. */
function isLastOfMany(sb: Superblock, group: number): boolean {
  return group === sb.fs_ncg - 1 && sb.fs_ncg > 10;
}

function wrap(words: readonly string[]): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of words) {
    if (line.length + word.length > WIDTH - 1) {
      lines.push(line);
      line = "";
    }
    line += word;
  }
  return [...lines, line];
}
