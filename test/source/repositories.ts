// IPS repositories put together by hand: manifests and payloads as pkgsend(1) and pkgrecv(1) leave them.

import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { type Content, memoryContent } from "../../src/bytes/index.ts";
import { tarHeader, USTAR_MAGIC } from "../../src/source/format-tar.ts";
import { formatPaxRecords } from "../../src/source/tar-pax.ts";
import { type Directory, file as fileNode, treeOf } from "../../src/tree/index.ts";
import { attributes, bytes } from "./samples.ts";
import { join } from "./writers.ts";

export const sha1 = (value: string): string => createHash("sha1").update(bytes(value)).digest("hex");
export const sha512t256 = (value: string): string => createHash("sha512-256").update(bytes(value)).digest("hex");

/** A file action as pkgsend publishes it. */
export function fileAction(path: string, content: string, rest = "owner=root group=bin mode=0644"): string {
  const packed = gzipSync(bytes(content));
  const content512 = `pkg.content-hash=file:sha512t_256:${sha512t256(content)}`;
  return `file ${sha1(content)} chash=${sha1(packed.toString("latin1"))} ${rest} path=${path} ${content512} pkg.csize=${packed.length} pkg.size=${content.length}`;
}

export interface RepositoryParts {
  readonly publisher?: string;
  /** "system/core@1.0,5.11-1:20200101T000000Z" → lines of its manifest. */
  readonly packages: Readonly<Record<string, readonly string[]>>;
  /** Payloads by content; a pair gives what lies under the hash instead of the gzip'd content. */
  readonly payloads: readonly (string | readonly [content: string, stored: Uint8Array])[];
  readonly layout?: "V0" | "V1";
  readonly version?: string;
}

/** Paths of a repository's files, relative to it. */
export function repositoryFiles(parts: RepositoryParts): Map<string, Uint8Array> {
  const { publisher = "test", packages, payloads, layout = "V1", version = "4" } = parts;
  const root = version === "3" ? "" : `publisher/${publisher}/`;
  const files = new Map<string, Uint8Array>();
  files.set(
    "pkg5.repository",
    bytes(
      `[CONFIGURATION]\nversion = ${version}\n\n[publisher]\nprefix = ${publisher}\n\n[repository]\nversion = ${version}\n`,
    ),
  );
  for (const [fmri, lines] of Object.entries(packages)) {
    const [stem = "", release = ""] = fmri.split("@");
    const manifest = [`set name=pkg.fmri value=pkg://${publisher}/${fmri}`, ...lines, ""].join("\n");
    files.set(`${root}pkg/${encodeURIComponent(stem)}/${encodeURIComponent(release)}`, bytes(manifest));
  }
  for (const payload of payloads) {
    const [content, stored] =
      typeof payload === "string" ? [payload, new Uint8Array(gzipSync(bytes(payload)))] : payload;
    const hash = sha1(content);
    const folder = layout === "V0" ? `${hash.slice(0, 2)}/${hash.slice(2, 8)}` : hash.slice(0, 2);
    files.set(`${root}file/${folder}/${hash}`, stored);
  }
  return files;
}

export function repositoryTree(parts: RepositoryParts): Directory {
  return treeOf(
    Array.from(repositoryFiles(parts), ([path, content]) => [`/${path}`, fileNode(attributes, memoryContent(content))]),
    attributes,
  );
}

/** A package archive as pkgrecv(1) -a writes it, with its index; `change` may spoil the index's text. */
export function p5p(parts: RepositoryParts, change: (index: string) => string = (index) => index): Content {
  const members: Uint8Array[] = [];
  let index = "";
  let offset = 0;
  const add = (name: string, type: string, content: Uint8Array): void => {
    const member = tarMember(name, type, content, [["mtime", "1600000000.123456"]]);
    index += `${name}\0${offset}\0${member.length}\0${content.length}\0b'${type}'\0\n`;
    offset += member.length;
    members.push(member);
  };
  const folders = new Set<string>();
  for (const [path, content] of repositoryFiles(parts)) {
    const steps = path.split("/").slice(0, -1);
    for (let i = 1; i <= steps.length; i++) {
      const folder = steps.slice(0, i).join("/");
      if (!folders.has(folder)) add(folder, "5", new Uint8Array(0));
      folders.add(folder);
    }
    add(path, "0", content);
  }
  const first = tarMember("pkg5.index.0.gz", "0", new Uint8Array(gzipSync(bytes(change(index)))), [
    ["comment", "pkg5.archive.version.0"],
  ]);
  return memoryContent(join(first, ...members, new Uint8Array(1024)));
}

function tarMember(name: string, typeflag: string, content: Uint8Array, records: [string, string][]): Uint8Array {
  const pad = (part: Uint8Array) => join(part, new Uint8Array((512 - (part.length % 512)) % 512));
  const block = (values: Parameters<typeof tarHeader.encode>[0]) => {
    const header = new Uint8Array(512);
    tarHeader.encode({ mode: 0o644, magic: USTAR_MAGIC, ...values }, header);
    header.fill(0x20, 148, 156);
    tarHeader.patch({ chksum: header.reduce((total, byte) => total + byte, 0) }, header);
    return header;
  };
  const pax = bytes(formatPaxRecords(records));
  return join(
    block({ name: "pax", typeflag: "x", size: pax.length }),
    pad(pax),
    block({ name: typeflag === "5" ? `${name}/` : name, typeflag, size: content.length }),
    pad(content),
  );
}
