// One verdict with reasons on any image: the checks of each format it consists of, and whether it will boot.

import { type Content, formatSize, ImageError, toText } from "../bytes/index.ts";
import { checkDisk, partitionContent, readDisk } from "../disk/index.ts";
import { checkFat } from "../fat/index.ts";
import { gunzipContent } from "../gzip/index.ts";
import { checkIso } from "../iso9660-writer-ts/index.ts";
import { type Directory, findFile, lookup } from "../tree/index.ts";
import { bootArchivePaths } from "./boot-parts.ts";
import type { InspectHost, IsoLayer } from "./layer.ts";
import { openImage } from "./open.ts";
import { recognize } from "./recognize.ts";
import { sameContent } from "./same-content.ts";
import { guarded, newVerification, readable, type Verdict, type Verification } from "./verdict.ts";
import { verifyArchive, verifyUfs } from "./verify-archive.ts";
import { isIllumosMedium, verifyBoot } from "./verify-boot.ts";

export interface VerifyOptions {
  /** The .hash file that lies beside an archive. */
  readonly hash?: Content | undefined;
}

/**
 * Verifies an image. What is wrong with it becomes findings.
 * @throws ImageError "wrong-type" for what is no image at all; "interrupted"; what reading `content` itself throws
 */
export async function verifyImage(content: Content, host: InspectHost, options: VerifyOptions = {}): Promise<Verdict> {
  const verification = newVerification();
  const kind = await recognize(content);
  if (kind === "plain")
    throw new ImageError("wrong-type", "there is nothing to verify: it is no image that is known here");
  await verifyAs(kind, content, host, options, verification);
  return verification.verdict(kind);
}

async function verifyAs(
  kind: Awaited<ReturnType<typeof recognize>>,
  content: Content,
  host: InspectHost,
  { hash }: VerifyOptions,
  verification: Verification,
): Promise<void> {
  const whole = { content, at: "", hash, isBooted: false };
  switch (kind) {
    case "iso":
      return verifyIso(content, host, verification);
    case "ufs":
      if (hash) await verifyArchive(whole, host, verification);
      else await verifyUfs(content, whole, verification);
      return;
    case "gzip":
      return verifyCompressed(content, host, { hash }, verification);
    case "fat":
      verification.addAll(await checkFat(content), () => "fat", "");
      verification.looked(`FAT, ${formatSize(content.sizeBytes)}`);
      return;
    case "disk":
      return verifyDisk(content, host, verification);
    default:
      await guarded(verification, "archive-format", "", async () => {
        const layer = await openImage(content, host);
        if (layer.kind === "archive") await layer.tree();
        verification.looked(layer.title);
      });
  }
}

/** A gzip'd file system is an archive to boot; of anything else the gzip is verified, then what is in it. */
async function verifyCompressed(
  content: Content,
  host: InspectHost,
  options: VerifyOptions,
  verification: Verification,
): Promise<void> {
  await verifyArchive({ content, at: "", hash: options.hash, isBooted: false }, host, verification);
  const plain = await readable(() => gunzipContent(content));
  const inner = plain && (await readable(() => recognize(plain)));
  if (plain && inner && inner !== "ufs" && inner !== "gzip" && inner !== "plain") {
    await verifyAs(inner, plain, host, {}, verification);
  }
}

async function verifyDisk(content: Content, host: InspectHost, verification: Verification): Promise<void> {
  verification.addAll(await checkDisk(content), diskRule, "");
  await guarded(verification, "partition-table", "", async () => {
    const disk = await readDisk(content);
    verification.looked(`partition table, ${disk.partitions.length} partitions`);
    for (const partition of disk.partitions) {
      const inner = partitionContent(content, partition);
      const kind = await recognize(inner);
      if (kind === "plain" || kind === "disk") continue;
      const nested = newVerification();
      await verifyAs(kind, inner, host, {}, nested);
      const at = `/${partition.number}`;
      const { findings, checked } = nested.verdict(kind);
      for (const { rule, severity, found, path = "", code } of findings) {
        verification.add(rule, severity, `partition ${partition.number}: ${found}`, at + path, code);
      }
      for (const line of checked) verification.looked(`partition ${partition.number}: ${line}`);
    }
  });
}

const diskRule = (code: string): string => (code === "boot-blocks" ? "boot-blocks" : "partition-table");

const ISO_RULES: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    "no-er no-rock-ridge name-split name-cut no-name bad-entry zero-tail unknown-entry continuation-crosses continuation-loop continuations-overlap relocation bad-relocation link-target no-attributes no-device bad-mode"
      .split(" ")
      .map((code) => [code, "rock-ridge"]),
  ),
  ...Object.fromEntries(
    "boot-catalog catalog-checksum catalog-truncated boot-image boot-size"
      .split(" ")
      .map((code) => [code, "el-torito"]),
  ),
  "boot-info-table": "boot-info-table",
  "beyond-image": "truncated",
};

async function verifyIso(content: Content, host: InspectHost, verification: Verification): Promise<void> {
  verification.addAll(await checkIso(content), (code) => ISO_RULES[code] ?? "iso-structure", "");
  verification.looked(`ISO 9660, ${formatSize(content.sizeBytes)}: descriptors, directories, boot catalog`);
  // Why it cannot be opened was said by the check.
  const layer = await readable(() => openImage(content, host));
  if (layer?.kind !== "iso") return;
  if (layer.disk) {
    verification.addAll(await checkDisk(content), diskRule, "");
    verification.looked("partition table");
  }
  const tree = await readable(() => layer.tree());
  if (tree === undefined) return;
  if (!isIllumosMedium(tree)) {
    verification.looked("nothing of illumos on it: no rules of booting apply");
    return;
  }
  verification.mustBoot();
  await verifyMedium(layer, tree, host, verification);
}

async function verifyMedium(
  layer: IsoLayer,
  tree: Directory,
  host: InspectHost,
  verification: Verification,
): Promise<void> {
  const booted = new Set<string>();
  let kernel: string | undefined;
  await guarded(verification, "boot-archive", "", async () => {
    const verdict = await verifyBoot(layer, verification);
    for (const path of verdict.archives) booted.add(path);
    kernel = verdict.kernel;
  });
  const known = await bootArchivePaths(tree);
  if (known.length === 0 && booted.size === 0) {
    verification.add("boot-archive", "error", "there is no boot archive on the medium");
  }
  for (const path of new Set([...booted, ...known])) {
    const content = findFile(tree, path)?.content;
    if (content === undefined) continue;
    const hash = hashFor(tree, path);
    const isBooted = booted.has(path);
    if (hash === undefined && isBooted) {
      verification.add("archive-hash-missing", "note", `${toText(path)}.hash: is not there`, path);
    }
    const root = await verifyArchive({ content, at: path, hash, isBooted }, host, verification);
    if (root && isBooted && kernel !== undefined) await compareKernels(tree, root, kernel, path, verification);
  }
}

/** The hash file of an archive: its name, without .gz, and ".hash". */
function hashFor(tree: Directory, path: string): Content | undefined {
  for (const name of [`${path}.hash`, `${path.replace(/\.gz$/, "")}.hash`]) {
    const node = lookup(tree, name);
    if (node?.type === "file") return node.content;
  }
  return undefined;
}

async function compareKernels(
  medium: Directory,
  ramdisk: Directory,
  kernel: string,
  archive: string,
  verification: Verification,
): Promise<void> {
  await guarded(verification, "kernel-differs", archive, async () => {
    const [outer, inner] = [findFile(medium, kernel)?.content, findFile(ramdisk, kernel)?.content];
    if (outer === undefined || inner === undefined || (await sameContent(outer, inner))) return;
    const found = `${toText(archive + kernel)}: is another file than ${toText(kernel)} on the medium`;
    verification.add("kernel-differs", "warning", found, archive + kernel);
  });
}
