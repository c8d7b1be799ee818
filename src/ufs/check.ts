// fsck, reading only: everything that fsck_ufs looks at, in its phases and words, and what it does not look at. It says
// each damage once: what only follows from it is not repeated.

import { type Content, ImageError, readBytes, toText } from "../bytes/index.ts";
import { checkAcls } from "./check-acls.ts";
import { checkConnectivity, checkDirectories } from "./check-directories.ts";
import { checkGroups } from "./check-groups.ts";
import { checkInodes, findFirstClaims } from "./check-inodes.ts";
import { checkLinks } from "./check-links.ts";
import { type CheckState, checkState, pathOf, setUsed } from "./check-state.ts";
import { checkSuperblock } from "./check-superblock.ts";
import { ENOUGH, MAX_FINDINGS, PHASE_TITLES, type Phase, type Report, type UfsFinding } from "./findings.ts";
import { extentBlock, FSCLEAN, FSLARGEFILES, FSLOG, FSOKAY, FSSTABLE, logExtent, SBOFF } from "./format.ts";
import type { OpenUfsOptions } from "./read.ts";
import type { Superblock } from "./superblock.ts";
import { makeVolume, readSuperblock } from "./volume.ts";

export interface UfsSummary {
  readonly files: number;
  readonly usedFrags: number;
  /** Whole blocks and single frags together, in frags, as the superblock has them. */
  readonly free: number;
  readonly freeFrags: number;
  readonly freeBlocks: number;
  readonly fragmentationPercent: number;
  readonly lastMountedOn: string;
}

export interface UfsCheck {
  readonly findings: readonly UfsFinding[];
  /** Undefined when the check did not get to the end. */
  readonly summary: UfsSummary | undefined;
}

const SECTOR = 512;
const IN_THE_IMAGE: ReadonlySet<string> = new Set(["bad-format", "truncated", "unsupported", "limit"]);

/**
 * Checks a UFS image.
 * @throws ImageError only when the image cannot be read ("input-missing", "input-changed", "interrupted"), or
 *   "invalid-argument" for a superblock that is no sector
 */
export async function checkUfs(image: Content, options: OpenUfsOptions = {}): Promise<UfsCheck> {
  const sector = options.superblock ?? SBOFF / SECTOR;
  const findings: UfsFinding[] = [];
  const report: Report = (phase, code, severity, message, where) => {
    findings.push({ phase, code, severity, message, ...where });
    if (findings.length >= MAX_FINDINGS) throw ENOUGH;
  };
  let phase: Phase = "setup";
  let state: CheckState | undefined;
  let summary: UfsSummary | undefined;
  try {
    const sb = await readSuperblock(image, sector);
    if (await checkSuperblock(image, sb, sector, report)) {
      state = checkState(makeVolume(image, sb, sector), report);
      await checkLog(state);
      phase = "1";
      await checkInodes(state);
      phase = "1b";
      if (state.duplicates.size > 0) await findFirstClaims(state);
      phase = "2";
      const hasRoot = await checkDirectories(state);
      if (hasRoot) {
        phase = "3a";
        await checkConnectivity(state);
        phase = "3b";
        await checkAcls(state);
        phase = "4";
        await checkLinks(state);
      }
      phase = "5";
      await checkGroups(state);
      phase = "state";
      checkFileSystemState(state, findings, sector);
      summary = summarize(state);
    }
  } catch (error) {
    if (error === ENOUGH) {
      const message = `stopped after ${MAX_FINDINGS} findings`;
      findings.push({ phase, code: "enough", severity: "note", message });
    } else if (error instanceof ImageError && IN_THE_IMAGE.has(error.code)) {
      const { code, field, path } = error;
      const message = isNoMagic(error) ? `BAD SUPERBLOCK AT BLOCK ${sector}: MAGIC NUMBER WRONG` : error.message;
      findings.push({ phase, code, severity: "error", message, path, field });
    } else throw error;
  }
  const paths = state;
  return { findings: paths ? findings.map((finding) => withPath(paths, finding)) : findings, summary };
}

function isNoMagic({ code, field }: ImageError): boolean {
  return code === "bad-format" && field === "fs_magic";
}

function withPath(state: CheckState, finding: UfsFinding): UfsFinding {
  if (finding.path !== undefined || finding.inode === undefined) return finding;
  return { ...finding, path: pathOf(state, finding.inode) };
}

/** The log's own sectors are in use although no inode has them (utilities.c, examinelog). */
async function checkLog(state: CheckState): Promise<void> {
  const { volume, report } = state;
  const { sb, image } = volume;
  if (sb.fs_logbno === 0) return;
  const bad = (message: string): void => report("setup", "log", "error", message, { field: "fs_logbno" });
  const offset = sb.fs_logbno * SECTOR;
  if (offset < 2 * SBOFF || offset + sb.fs_bsize > image.sizeBytes) {
    bad(`LOG AT SECTOR ${sb.fs_logbno} IS NOT IN THE FILE SYSTEM`);
    return;
  }
  const bytes = await readBytes(image, offset, sb.fs_bsize);
  const block = extentBlock.decode(bytes);
  const most = Math.floor((sb.fs_bsize - extentBlock.sizeBytes) / logExtent.sizeBytes);
  if (block.type !== 0 || block.nextents === 0 || block.nextents > most || checksumOf(bytes) !== block.chksum) {
    bad(`LOG ALLOCATION TABLE AT SECTOR ${sb.fs_logbno} IS BAD`);
    return;
  }
  const use = (frag: number, frags: number): void => {
    for (let i = frag; i < Math.min(frag + frags, sb.fs_size); i++) setUsed(state, i);
  };
  use(Math.floor(sb.fs_logbno / sb.fs_nspf), sb.fs_frag);
  for (let i = 0; i < block.nextents; i++) {
    const { pbno, nbno } = logExtent.decode(bytes, extentBlock.sizeBytes + i * logExtent.sizeBytes);
    use(Math.floor(pbno / sb.fs_nspf), Math.floor(nbno / sb.fs_nspf));
  }
  if (sb.fs_clean === FSLOG && sb.fs_rolled !== 1) {
    const message = "THE LOG HAS NOT BEEN ROLLED: WHAT FOLLOWS MAY BE REPAIRED BY IT";
    report("setup", "log-not-rolled", "note", message, { field: "fs_rolled", beyondFsck: true });
  }
}

function checksumOf(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 4) {
    if (i !== extentBlock.fields.chksum.offset) sum = (sum + view.getInt32(i, true)) | 0;
  }
  return sum;
}

/** fs_clean, fs_state, fs_flags (utilities.c, updateclean). By another superblock than the first they are not looked at. */
function checkFileSystemState(state: CheckState, findings: readonly UfsFinding[], sector: number): void {
  const { sb } = state.volume;
  if (sector !== SBOFF / SECTOR) return;
  const wrong = (code: string, field: keyof Superblock, why: string): void => {
    const message = `FILE SYSTEM STATE IN SUPERBLOCK IS WRONG (${why})`;
    state.report("state", code, "warning", message, { field });
  };
  const hasFlag = (sb.fs_flags & FSLARGEFILES) !== 0;
  if (hasFlag !== state.largeFiles > 0) {
    wrong("largefiles", "fs_flags", hasFlag ? "largefiles flag without large files" : "large files without the flag");
  }
  if (((sb.fs_state + sb.fs_time) | 0) !== FSOKAY) {
    wrong("state", "fs_state", `fs_state + fs_time is not 0x${FSOKAY.toString(16)}: fs_clean is not believed`);
  } else if (sb.fs_clean !== FSCLEAN && sb.fs_clean !== FSSTABLE && !(sb.fs_clean === FSLOG && sb.fs_logbno !== 0)) {
    wrong("clean", "fs_clean", `fs_clean is 0x${sb.fs_clean.toString(16)}: not clean`);
  } else if (sb.fs_reclaim !== 0 && !findings.some(({ code }) => code === "unref")) {
    wrong("reclaim", "fs_reclaim", "deletions are pending");
  }
}

function summarize(state: CheckState): UfsSummary {
  const { sb } = state.volume;
  return {
    files: state.files,
    usedFrags: state.usedFrags,
    free: sb.fs_cstotal_nffree + sb.fs_cstotal_nbfree * sb.fs_frag,
    freeFrags: sb.fs_cstotal_nffree,
    freeBlocks: sb.fs_cstotal_nbfree,
    fragmentationPercent: (sb.fs_cstotal_nffree * 100) / sb.fs_dsize,
    lastMountedOn: sb.fs_fsmnt,
  };
}

/** The check as fsck prints it, line by line, for the device or image `special`. */
export function fsckReport({ findings, summary }: UfsCheck, special: string): string[] {
  const lines = [`** ${special} (NO WRITE)`];
  const show = (phase: Phase): void => {
    for (const finding of findings) if (finding.phase === phase) lines.push(finding.message);
  };
  show("setup");
  if (summary === undefined && findings.every(({ phase }) => phase === "setup")) {
    if (findings.some(({ code }) => code === "superblock" || code === "bad-format")) {
      lines.push(
        "USE AN ALTERNATE SUPERBLOCK TO SUPPLY NEEDED INFORMATION (--superblock 32, or another that newfs named)",
      );
    }
    return lines;
  }
  lines.push(`** Last Mounted on ${toText(summary?.lastMountedOn ?? "")}`);
  for (const [phase, title] of PHASE_TITLES) {
    if (phase === "1b" && !findings.some((finding) => finding.phase === "1b")) continue;
    lines.push(`** Phase ${phase} - ${title}`);
    show(phase);
  }
  show("state");
  if (summary) lines.push(summaryLine(summary));
  return lines;
}

function summaryLine(summary: UfsSummary): string {
  const { files, usedFrags, free, freeFrags, freeBlocks } = summary;
  return (
    `${files} files, ${usedFrags} used, ${free} free ` +
    `(${freeFrags} frags, ${freeBlocks} blocks, ${summary.fragmentationPercent.toFixed(1)}% fragmentation)`
  );
}
