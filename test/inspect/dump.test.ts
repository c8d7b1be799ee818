// What lies at an offset: every place of every kind of image, and some whose meaning is known from elsewhere.

import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { type Content, ImageError, memoryContent, readAll } from "../../src/bytes/index.ts";
import { type Dumped, dumpAt, fieldAt, type Layer, openImage } from "../../src/inspect/index.ts";
import { treeOf } from "../../src/tree/index.ts";
import { base, fatBytes, gzip, host, mbrDisk, sampleIso, sampleTree, tarBytes, text, ufsBytes } from "./images.ts";

let iso: Content;
let ufs: Uint8Array<ArrayBuffer>;
let fat: Uint8Array<ArrayBuffer>;
beforeAll(async () => {
  ({ iso } = await sampleIso());
  ufs = await ufsBytes(sampleTree());
  fat = await fatBytes(treeOf([["/EFI/BOOT/a long name.efi", text("x".repeat(3000))]], base));
});
const open = (bytes: Uint8Array): Promise<Layer> => openImage(memoryContent(bytes), host);
const at = async (layer: Layer, offset: number): Promise<Dumped> => dumpAt(layer, "x", offset);

/** The field that an offset is in, and its value. */
function field({ structures: [first], offset }: Dumped): [string | undefined, unknown] {
  const line = first && fieldAt(first, offset);
  return [line?.name, line?.value];
}

describe("UFS", () => {
  const view = (): DataView => new DataView(ufs.buffer);
  const sb = (offset: number): number => view().getInt32(8192 + offset, true);

  test("superblock, copies, groups, maps, inodes, summary", async () => {
    const layer = await open(ufs);
    expect(field(await at(layer, 8192 + 48))).toEqual(["fs_bsize", 8192]);
    const [fsize, sblkno, cblkno, iblkno, csaddr] = [sb(52), sb(8), sb(12), sb(16), sb(152)];
    expect(await at(layer, sblkno * fsize + 1373)).toMatchObject({ what: "superblock copy of cylinder group 0" });
    expect(field(await at(layer, cblkno * fsize + 5))).toEqual(["cg_magic", 0x00090255]);
    expect(field(await at(layer, cblkno * fsize + 168))[0]).toBe("cg_btot[0]");
    const iused = view().getInt32(cblkno * fsize + 92, true);
    const [name, value] = field(await at(layer, cblkno * fsize + iused));
    expect(name).toBe("cg_iused: inodes 0 … 7");
    expect(Number(value) & 0b1111).toBe(0b1111);
    const root = await at(layer, iblkno * fsize + 2 * 128 + 2);
    expect(root.what).toBe("inode 2 of /");
    expect(field(root)[0]).toBe("ic_nlink");
    expect(field(await at(layer, csaddr * fsize + 4))[0]).toBe("cs_nbfree");
    expect((await at(layer, 100)).what).toBe("boot block");
    expect((await at(layer, ufs.length - 1)).what).toMatch(/free|behind/);
  });

  test("directory entries, data with their place in the file, links, indirect blocks", async () => {
    const layer = await open(ufs);
    const bytes = Buffer.from(ufs.buffer);
    const motd = bytes.indexOf("Welcome\n");
    expect(await at(layer, motd + 3)).toMatchObject({ what: "data of /etc/motd", fileOffset: 3 });
    const link = bytes.indexOf("usr/bin\0");
    expect((await at(layer, link)).what).toBe("symlink of /bin");
    const entry = bytes.indexOf("adm-owned\0");
    const found = await at(layer, entry);
    expect(found.what).toBe("directory of /etc");
    expect(found.structures[0]?.title).toBe('directory entry "adm-owned"');
    expect(field(found)).toEqual(["d_name", "adm-owned"]);
    expect(field(await at(layer, entry - 2))).toEqual(["d_namlen", 9]);
  });
});

describe("ISO", () => {
  test("descriptors, path tables, records, catalog, boot information table", async () => {
    const layer = await openImage(iso, host);
    expect(field(await at(layer, 0x8028))).toEqual(["Volume Identifier", "sample"]);
    expect((await at(layer, 17 * 2048)).what).toBe("Boot Record Volume Descriptor");
    const bytes = Buffer.from(await readAll(iso));
    const table = bytes.readUInt32LE(0x8000 + 140) * 2048;
    expect(field(await at(layer, table + 2))[0]).toBe("Location of Extent");
    expect((await at(layer, table + 10)).what).toBe("record 2 of the primary path table L");
    const record = bytes.indexOf("menu.lst") - 33;
    expect(field(await at(layer, record + 10))).toEqual(["Data Length", 95]);
    expect((await at(layer, record + 45)).structures[0]?.title).toBe("System Use entry NM");
    const catalog = bytes.readUInt32LE(17 * 2048 + 0x47) * 2048;
    expect(field(await at(layer, catalog + 31))).toEqual(["Key bytes", 0xaa55]);
    expect((await at(layer, catalog + 64)).structures[0]?.name).toBe("Section Header Entry");
    expect((await at(layer, catalog + 96)).structures[0]?.name).toBe("Section Entry");
    const stage = bytes.readUInt32LE(catalog + 32 + 8) * 2048;
    const inTable = await at(layer, stage + 12);
    expect(inTable).toMatchObject({ what: "data of /boot/grub/stage2_eltorito", fileOffset: 12 });
    expect(field(inTable)).toEqual(["bi_file", stage / 2048]);
  });

  test("an image inside is looked into", async () => {
    const layer = await openImage(iso, host);
    const bytes = Buffer.from(await readAll(iso));
    const esp = bytes.indexOf("PUREBOOT") - 3;
    const found = await at(layer, esp + 4);
    expect(found.what).toBe("data of /boot/efiboot.img");
    expect(found.inner && field(found.inner)[0]).toBe("BS_OEMName");
    const packed = await at(layer, bytes.indexOf(Buffer.of(0x1f, 0x8b, 8)));
    expect(packed.inner && field(packed.inner)).toEqual(["ID", 0x8b1f]);
  });
});

test("FAT: boot sector, table, entries short and long, data", async () => {
  const layer = await open(fat);
  const bytes = Buffer.from(fat.buffer);
  expect(field(await at(layer, 11))).toEqual(["BPB_BytsPerSec", 512]);
  expect(field(await at(layer, 512 + 3))[0]).toBe("cluster 2");
  const short = bytes.indexOf("ALONGN~1EFI");
  expect((await at(layer, short)).structures[0]?.title).toBe("directory entry");
  expect((await at(layer, short - 32)).structures[0]?.title).toBe("long name entry");
  const data = bytes.indexOf("xxxxxxxx");
  expect(await at(layer, data + 2500)).toMatchObject({ what: "data of /EFI/BOOT/a long name.efi", fileOffset: 2500 });
});

test("disk, gzip, tar, plain data", async () => {
  const disk = await open(mbrDisk(fat));
  expect(field(await at(disk, 446 + 8))).toEqual(["StartingLBA", 2048]);
  const inside = await at(disk, (1 << 20) + 11);
  expect(inside.what).toMatch(/^partition 1/);
  expect(inside.inner && field(inside.inner)).toEqual(["BPB_BytsPerSec", 512]);
  const packed = gzip(ufs);
  expect(field(await at(await open(packed), packed.length - 1))).toEqual(["ISIZE", ufs.length]);
  const tar = await tarBytes(sampleTree());
  const member = Buffer.from(tar.buffer).indexOf("./etc/motd");
  expect(field(await at(await open(tar), member + 124))).toEqual(["size", 8]);
  expect((await at(await open(tar), member + 512)).what).toBe("data of member ./etc/motd");
  expect(await at(await open(Buffer.from("words")), 2)).toMatchObject({ what: "data", bytesOffset: 0 });
  await expect(at(await open(Buffer.from("words")), 5)).rejects.toMatchObject({ code: "invalid-argument" });
});

test("everywhere in every image there is an answer, and fields hold what the bytes say", async () => {
  const images = [await readAll(iso), ufs, gzip(ufs), fat, mbrDisk(fat), await tarBytes(sampleTree())];
  const layers = await Promise.all(images.map(open));
  await fc.assert(
    fc.asyncProperty(fc.nat(images.length - 1), fc.nat(), async (which, where) => {
      const bytes = images[which] ?? new Uint8Array(0);
      // Half of the places among the structures in front.
      const offset = where % (where % 2 === 0 ? bytes.length : Math.min(bytes.length, 120_000));
      const found = await at(layers[which] as Layer, offset);
      expect(found.what).not.toBe("");
      expect(Buffer.from(found.bytes)).toEqual(
        Buffer.from(bytes.subarray(found.bytesOffset, found.bytesOffset + found.bytes.length)),
      );
      for (const { fields } of found.structures) {
        for (const { offset: from, sizeBytes, value } of fields) {
          if (typeof value !== "number" || sizeBytes > 1) continue;
          if (/^cluster /.test(fields[0]?.name ?? "")) continue; // FAT12's are a byte and a half
          expect(value & 0xff).toBe(bytes[from]);
        }
      }
    }),
    { numRuns: 250 },
  );
});

test("in damaged images too, or there is an ImageError", async () => {
  const seed = await readAll(iso);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 30 }), fc.nat(), async (changes, where) => {
      const bytes = seed.slice();
      for (const [place, value] of changes) bytes[32_768 + (place % 60_000)] = value;
      try {
        await at(await open(bytes), where % 100_000);
      } catch (error) {
        expect(error).toBeInstanceOf(ImageError);
      }
    }),
    { numRuns: 60 },
  );
});
