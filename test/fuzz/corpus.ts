// Good images of every kind, small, each with the places of its structures' fields: what `dump` finds there.

import { gzipSync } from "node:zlib";
import { type Content, memoryContent, readAll } from "../../src/bytes/index.ts";
import { type Dumped, dumpAt, openImage } from "../../src/inspect/index.ts";
import { planIso } from "../../src/iso9660-writer-ts/index.ts";
import { layoutBytes } from "../../src/layout/index.ts";
import { planTar } from "../../src/source/index.ts";
import { file, treeOf } from "../../src/tree/index.ts";
import { content as bytesOfDisk, sampleGptDisk } from "../disk/samples.ts";
import { base, fatBytes, host, mbrDisk, numbered, sampleNodes, text, ufsBytes } from "../inspect/images.ts";
import { grubParts, loaderParts, type MediumParts, mediumOf } from "../inspect/media.ts";
import { fileAction, p5p } from "../source/repositories.ts";
import { cpio, zip } from "../source/writers.ts";
import type { Place } from "./mutate.ts";

export interface FuzzSample {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly fields: readonly Place[];
}

/** Compressed so that every byte can still be hit by itself. */
const stored = (plain: Uint8Array): Uint8Array => new Uint8Array(gzipSync(plain, { level: 0 }));

const smallTree = () =>
  treeOf(
    sampleNodes().filter(([path]) => path !== "/usr/lib/big"),
    { ...base, mode: 0o755 },
  );

const medium = async (parts: MediumParts, pack: MediumParts["pack"]): Promise<Uint8Array<ArrayBuffer>> =>
  readAll(await mediumOf({ ...parts, pack, ramdiskBytes: 1 << 20 }));

/** Names in both hierarchies, deep directories, links, devices: more of ISO 9660 than media have. */
async function plainIso(): Promise<Uint8Array<ArrayBuffer>> {
  const nodes = sampleNodes();
  nodes.push(["/deep/1/2/3/4/5/6/7/8/9/file", text("deep")]);
  nodes.push([`/${"long name ".repeat(20)}`, text("a name in several pieces")]);
  const plan = planIso(treeOf(nodes, { ...base, mode: 0o755 }), {
    timeSeconds: base.mtimeSeconds,
    joliet: true,
    volumeId: "FUZZ",
  });
  return layoutBytes(plan.layout);
}

function packageArchive(): Content {
  const packages = { "system/core@1.0,5.11-1:20200101T000000Z": [fileAction("etc/motd", "hello")] };
  return p5p({ packages, payloads: ["hello"] });
}

async function archives(): Promise<[string, Uint8Array<ArrayBuffer>][]> {
  const members = [
    { name: "etc", mode: 0o40755 },
    { name: "etc/motd", body: "hello\n" },
    { name: "etc/link", body: "motd", mode: 0o120777 },
    { name: "dev/null", mode: 0o20666, rdev: [13, 2] as const },
  ];
  const zipped = zip({ name: "SUNWa/pkginfo", body: "PKG=SUNWa\n" }, { name: "SUNWa/pkgmap", body: ": 1 10\n" });
  const datastream = Buffer.from("# PaCkAgE DaTaStReAm\nSUNWa 1 10\n# end of header\n".padEnd(512, "\0"), "latin1");
  const pkg = cpio(
    "odc",
    { name: "pkginfo", body: "PKG=SUNWa\nNAME=a\n" },
    { name: "pkgmap", body: ": 1 1\n1 f none /etc/motd 0644 root sys 6 542 0\n" },
    { name: "root/etc/motd", body: "hello\n" },
  );
  return [
    ["tar", await layoutBytes(planTar(smallTree()))],
    ["tar.gz", new Uint8Array(gzipSync(await layoutBytes(planTar(smallTree()))))],
    ["cpio odc", cpio("odc", ...members)],
    ["cpio newc", cpio("newc", ...members)],
    ["zip", await readAll(zipped)],
    ["datastream", new Uint8Array(Buffer.concat([datastream, cpio("odc", { name: "x" }), pkg]))],
    ["p5p", await readAll(packageArchive())],
  ];
}

export async function corpus(): Promise<FuzzSample[]> {
  const ufs = await ufsBytes(smallTree(), undefined, 1 << 20);
  const fat = await fatBytes(treeOf([["/EFI/BOOT/BOOTX64.EFI", file(base, memoryContent(numbered(5000)))]], base));
  const images: [string, Uint8Array<ArrayBuffer>][] = [
    ["ufs", ufs],
    ["ufs.gz", new Uint8Array(gzipSync(ufs))],
    ["ufs.gz stored", new Uint8Array(stored(ufs))],
    ["fat", fat],
    ["mbr", mbrDisk(fat)],
    ["gpt", bytesOfDisk(sampleGptDisk({ sectors: 200 }))],
    ["iso", await plainIso()],
    ["grub medium", await medium(grubParts(), stored)],
    ["loader medium", await medium(await loaderParts(), (plain) => plain)],
    ...(await archives()),
  ];
  return Promise.all(images.map(async ([name, all]) => ({ name, bytes: all, fields: await fieldsOf(all) })));
}

const MAX_OFFSETS = 120;

/**
 * The fields of structures at many offsets, those of images inside too where they lie in one piece: all over the image, and
 * closer together where its first structures are.
 */
async function fieldsOf(image: Uint8Array<ArrayBuffer>): Promise<Place[]> {
  const layer = await openImage(memoryContent(image), host);
  const fields = new Map<number, Place>();
  const offsets = Array.from({ length: MAX_OFFSETS }, (_, i) => Math.floor((image.length * i) / MAX_OFFSETS));
  for (let at = 0; at < Math.min(image.length, 40 * 2048); at += 1024) offsets.push(at);
  for (const offset of offsets) {
    let shift = 0;
    for (let at: Dumped | undefined = await dumpAt(layer, "sample", offset, 1); at; at = at.inner) {
      for (const { fields: lines } of at.structures) {
        for (const line of lines) {
          const place = { offset: line.offset + shift, sizeBytes: line.sizeBytes };
          fields.set(place.offset, place);
        }
      }
      if (at.inner) shift += at.offset - at.inner.offset;
    }
  }
  return [...fields.values()].sort((a, b) => a.offset - b.offset);
}
