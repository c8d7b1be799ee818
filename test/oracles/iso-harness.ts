// ISO images asked of other programs: each answer as a listing that can be compared with the tree's (harness/listing.ts).

import { closeSync, ftruncateSync, mkdirSync, openSync, writeSync } from "node:fs";
import { isAllZeros } from "../../src/bytes/index.ts";
import { emit, type Layout } from "../../src/layout/index.ts";
import { type ListedPath, type Listing, listDirectory, toListing, unescapeBytes } from "./harness/listing.ts";
import { oracle } from "./harness/programs.ts";
import { run, runText } from "./harness/run.ts";

/** Writes a layout to a file; zeros become holes, so that a volume of many GiB costs what its data costs. */
export async function writeImage(layout: Layout, path: string): Promise<void> {
  const descriptor = openSync(path, "w");
  try {
    await emit(layout, {
      async write(bytes, offset) {
        if (!isAllZeros(bytes)) writeSync(descriptor, bytes, 0, bytes.length, offset);
      },
    });
    ftruncateSync(descriptor, layout.sizeBytes);
  } finally {
    closeSync(descriptor);
  }
}

const MTREE_TYPES: Readonly<Record<string, ListedPath["type"]>> = {
  dir: "directory",
  file: "file",
  link: "symlink",
  char: "character",
  block: "block",
  fifo: "fifo",
};

/**
 * What libarchive sees. It gives the data of several names with one file only, with one of them: the others have size 0
 * here. Link counts of directories are not told.
 */
export async function listByBsdtar(image: string): Promise<Listing> {
  const keywords = "mtree:!all,mtree:type,mtree:mode,mtree:uid,mtree:gid,mtree:nlink,mtree:size,mtree:time,mtree:link";
  const options = `${keywords},mtree:device,mtree:sha256`;
  const text = await runText(oracle("bsdtar"), ["--format=mtree", "--options", options, "-cf", "-", `@${image}`], {
    outputLimitBytes: 2 ** 28,
  });
  const records: ListedPath[] = [];
  for (const line of text.replaceAll("\\\n", "").split("\n")) {
    const [name, ...words] = line.split(/ +/);
    if (!name || name.startsWith("#")) continue;
    const values = new Map(words.map((word) => word.split(/=(.*)/s).slice(0, 2) as [string, string]));
    const number = (key: string, missing: number): number => Number(values.get(key) ?? missing);
    const type = MTREE_TYPES[values.get("type") ?? ""] ?? "unknown";
    const [, major, minor] = (values.get("device") ?? "").split(",");
    const target = unescapeBytes(values.get("link") ?? "");
    records.push({
      path: unescapeBytes(name).slice(1) || "/",
      type,
      mode: Number.parseInt(values.get("mode") ?? "", 8),
      uid: number("uid", Number.NaN),
      gid: number("gid", Number.NaN),
      nlink: number("nlink", 1),
      size: type === "symlink" ? target.length : number("size", 0),
      mtimeSeconds: Math.floor(number("time", Number.NaN)),
      inode: records.length,
      ...(type === "symlink" && { target }),
      ...(major !== undefined && { device: [Number(major), Number(minor)] as const }),
      ...(type === "file" && { digest: values.get("sha256digest") ?? "" }),
    });
  }
  return toListing(records);
}

/** What xorriso takes out of an image, as it lies on disk then. Devices are not made. */
export async function listByXorriso(image: string, folder: string): Promise<Listing> {
  mkdirSync(folder, { recursive: true });
  const args = [
    "-abort_on",
    "FATAL",
    "-osirrox",
    "on:sort_lba_off",
    "-indev",
    image,
    "-extract",
    "/",
    `${folder}/tree`,
  ];
  const result = await run(oracle("xorriso"), args, { timeoutMilliseconds: 300_000 });
  const complaints = complaintsOf(result.stderr.toString("latin1"));
  if (complaints.length > 0) throw new Error(`xorriso: ${complaints.join("\n")}`);
  await runText("chmod", ["-R", "u+rwX", `${folder}/tree`]).catch(() => undefined);
  return listDirectory(`${folder}/tree`, "sha256");
}

/** Lines of xorriso's log from WARNING on. */
export function complaintsOf(log: string): string[] {
  return log.split("\n").filter((line) => / : (WARNING|SORRY|MISHAP|FAILURE|FATAL|ABORT) : /.test(line));
}

/** A line of `isoinfo -l`. */
export interface IsoinfoEntry {
  readonly mode: string;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly lba: number;
}

/** What isoinfo lists: with Rock Ridge ("-R"), Joliet ("-J") or plain names (""). */
export async function listByIsoinfo(image: string, names: "-R" | "-J" | ""): Promise<Map<string, IsoinfoEntry>> {
  const text = await runText(oracle("isoinfo"), [...(names ? [names] : []), "-l", "-i", image]);
  const entries = new Map<string, IsoinfoEntry>();
  let folder = "/";
  for (const line of text.split("\n")) {
    const header = /^Directory listing of (.*)$/.exec(line);
    if (header) folder = header[1] ?? "";
    const row = /^(\S{10})\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+) \w{3} [ \d]\d \d{4} \[\s*(\d+) ..\] {2}(.*)$/.exec(line);
    if (!row) continue;
    const [, mode = "", nlink, uid, gid, size, lba, shown = ""] = row;
    const name = shown.replace(/ -> .*$/, "").replace(/ $/, "");
    if (name === "." || name === "..") continue;
    const octal = (digits = ""): number => Number.parseInt(digits, 8); // it prints ids so
    const values = { nlink: Number(nlink), uid: octal(uid), gid: octal(gid), size: Number(size), lba: Number(lba) };
    entries.set(`${folder}${name}`, { mode, ...values });
  }
  return entries;
}

/** What isovfy finds wrong. It tells every name of more than 33 characters, which relaxed names may have. */
export async function faultsByIsovfy(image: string): Promise<string[]> {
  const text = await runText(oracle("isovfy"), [image]);
  return text
    .split("\n")
    .filter((line) => !/^(Root at extent .*|\[\d+ \d+\]|No errors found|.*File name length=.*|)$/.test(line));
}
