// A boot archive, or a file system by itself: gzip, hash, file system, and whether the system in it will come up. A gzip'd
// archive is inflated once: for its checksum, for its SHA-1 and for the metadata of the file system.

import { byteString, type Content, digestOf, formatSize, readAll, readBytes, toText } from "../bytes/index.ts";
import { checkGzip, gunzipContent, isGzip } from "../gzip/index.ts";
import { guestMemoryBytes, ramdiskFindings } from "../illumos/index.ts";
import { type Directory, lookup, walk } from "../tree/index.ts";
import { checkUfs, isBootPath, openUfs, type Superblock } from "../ufs/index.ts";
import type { InspectHost } from "./layer.ts";
import { recognize } from "./recognize.ts";
import { keptContent, metadataKeeper } from "./ufs-metadata.ts";
import { guarded, readable, type Verification } from "./verdict.ts";

/** Offsets in the boot-time reader are 32 bits. */
const MAX_ARCHIVE_BYTES: number = 2 ** 32;
const HASH_DIGITS = 40;

export interface ArchiveInput {
  readonly content: Content;
  /** Where it lies: what is put before paths in it. "" for the image itself. */
  readonly at: string;
  /** The .hash file that belongs to it. */
  readonly hash: Content | undefined;
  /** Whether a loader is known to load it. */
  readonly isBooted: boolean;
}

/** Verifies an archive. Returns its tree where it is a file system that can be read. */
export async function verifyArchive(
  input: ArchiveInput,
  host: InspectHost,
  verification: Verification,
): Promise<Directory | undefined> {
  const { content, at, hash } = input;
  const head = await readBytes(content, 0, Math.min(3, content.sizeBytes));
  const plain = isGzip(head)
    ? await verifyGzip(input, host, verification)
    : { content, sha1: hash && (await digestOf(content, content.sizeBytes, host.createHasher("sha1"))) };
  if (plain === undefined) return undefined;
  if (hash && plain.sha1 !== undefined) await verifyHash(hash, plain.sha1, at, verification);
  const { sizeBytes } = plain.content;
  if (input.isBooted) verifySize(sizeBytes, at, verification);
  const kind = (await readable(() => recognize(plain.content))) ?? "plain";
  if (kind !== "ufs") {
    if (input.isBooted) {
      const what = kind === "plain" ? "no file system that is known here" : `of the kind ${kind}`;
      verification.add("archive-content", "warning", `${toText(at)}: what is in it is ${what}`, at);
    }
    return undefined;
  }
  return verifyUfs(plain.content, input, verification);
}

interface Plain {
  readonly content: Content;
  /** Undefined when nobody asks. */
  readonly sha1: string | undefined;
}

async function verifyGzip(
  { content, at }: ArchiveInput,
  host: InspectHost,
  verification: Verification,
): Promise<Plain | undefined> {
  const sha1 = host.createHasher("sha1");
  const keeper = metadataKeeper();
  let plain: Plain | undefined;
  await guarded(verification, "gzip", at, async () => {
    const random = await gunzipContent(content);
    const check = await checkGzip(content, {
      hashers: [sha1, keeper],
      createInflater: host.createInflater,
      crc32: host.crc32,
      signal: host.signal,
      onProgress: (done) => host.onProgress?.("inflating", done, random.sizeBytes),
    });
    verification.addAll(check.findings, () => "gzip", at);
    verification.looked(`${named(at)}gzip, ${formatSize(content.sizeBytes)} to ${formatSize(check.uncompressedBytes)}`);
    // What stands behind the size that the trailer says, or is not there, cannot be read.
    const isWhole = check.uncompressedBytes === random.sizeBytes;
    if (isWhole) plain = { content: keptContent(random, async () => keeper), sha1: sha1.digestHex() };
  });
  return plain;
}

const named = (at: string): string => (at === "" ? "" : `${toText(at)}: `);

async function verifyHash(hash: Content, sha1: string, at: string, verification: Verification): Promise<void> {
  const path = `${at}.hash`;
  await guarded(verification, "archive-hash", path, async () => {
    const text = byteString(await readAll(hash, 2 ** 16));
    const stated = text.slice(0, HASH_DIGITS);
    if (!/^[0-9a-f]{40}$/.test(stated)) {
      const found = `${toText(path)}: does not begin with ${HASH_DIGITS} lower-case hexadecimal digits`;
      verification.add("archive-hash", "error", found, path);
    } else if (stated !== sha1) {
      const found = `${toText(path)}: says ${stated}, the uncompressed archive has ${sha1}`;
      verification.add("archive-hash", "error", found, path);
    } else verification.looked(`${named(at)}SHA-1 as in its .hash file`);
  });
}

function verifySize(sizeBytes: number, at: string, verification: Verification): void {
  if (sizeBytes >= MAX_ARCHIVE_BYTES) {
    const found = `${toText(at)}: ${formatSize(sizeBytes)} uncompressed`;
    verification.add("archive-size", "error", found, at);
  }
  const memory = formatSize(guestMemoryBytes(sizeBytes));
  verification.add("memory", "note", `${toText(at)}: to boot it, a machine should have ${memory}`, at);
}

/** fsck and mount rules; then, where there is a system in it, whether it will come up. */
export async function verifyUfs(
  content: Content,
  { at, isBooted }: Pick<ArchiveInput, "at" | "isBooted">,
  verification: Verification,
): Promise<Directory | undefined> {
  const { findings, summary } = await checkUfs(content);
  verification.addAll(findings, (code) => (UNCLEAN.has(code) ? "ufs-clean" : "ufs"), at);
  if (summary) verification.looked(`${named(at)}UFS, ${summary.files} files, fsck in all phases`);
  const ufs = await readable(() => openUfs(content));
  if (ufs) verifyForBoot(ufs.superblock, content, at, isBooted, verification);
  const tree = ufs && (await readable(() => ufs.tree()));
  if (tree === undefined || !(isBooted || hasSystem(tree))) return tree;
  verification.mustBoot();
  await guarded(verification, "ufs", at, async () => {
    verification.addAll(await ramdiskFindings(tree), (code) => code, at);
    verifyHoles(tree, at, verification);
    verification.looked(`${named(at)}the system in it: kernel, drivers, mount points, console, init`);
  });
  return tree;
}

/** Codes of the check that say that the file system was not unmounted. */
const UNCLEAN: ReadonlySet<string> = new Set(["state", "clean", "reclaim"]);

/** Whether a tree is one that a kernel might start in; an empty file system is not. */
function hasSystem(tree: Directory): boolean {
  return ["/kernel", "/sbin/init", "/etc/inittab", "/platform/i86pc"].some((path) => lookup(tree, path) !== undefined);
}

function verifyForBoot(sb: Superblock, content: Content, at: string, isBooted: boolean, { add }: Verification): void {
  const sizeBytes = sb.fs_size * sb.fs_fsize;
  const rule = "ufs-boot";
  if (sizeBytes > content.sizeBytes) {
    add(rule, "error", `${named(at)}the file system has ${sizeBytes} bytes, the image ${content.sizeBytes}`, at);
  }
  if (isBooted && sizeBytes >= MAX_ARCHIVE_BYTES) {
    add(rule, "error", `${named(at)}a file system of ${formatSize(sizeBytes)}; the boot-time reader ends at 4 GiB`, at);
  }
}

function verifyHoles(tree: Directory, at: string, { add }: Verification): void {
  for (const { path, node } of walk(tree)) {
    if (node.type === "symlink" && (node.target === "" || node.target.includes("\0")) && isBootPath(path)) {
      add("boot-holes", "error", `${toText(at + path)}: the target of the link is not in its first block`, at + path);
    }
    if (node.type !== "file" || node.content.dataRanges === undefined || !isBootPath(path)) continue;
    const dataBytes = node.content.dataRanges.reduce((sum, { length }) => sum + length, 0);
    if (dataBytes >= node.content.sizeBytes) continue;
    const found = `${toText(at + path)}: ${node.content.sizeBytes - dataBytes} bytes of it are holes`;
    add("boot-holes", "error", found, at + path);
  }
}
