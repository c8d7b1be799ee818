// The harness itself: each oracle is tried on something whose content is known and that src/ has no part in, and must
// also see what is wrong in a damaged copy. Only then does its word count elsewhere.

import { createHash } from "node:crypto";
import {
  copyFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { probePath } from "../../fixtures/boot-files.ts";
import { compareWithGrub, grubCat, grubList } from "./harness/grub.ts";
import { bootReport, bsdtarListing, isoinfoDescriptor, isoinfoListing, isovfy } from "./harness/iso.ts";
import { mountInLinux } from "./harness/linux.ts";
import { compareListings, type Field, listDirectory } from "./harness/listing.ts";
import { bootProbe, probeImage } from "./harness/probe.ts";
import { oracle, testWith } from "./harness/programs.ts";
import { run, runText } from "./harness/run.ts";
import { makeSunUfs } from "./harness/sun-ufs.ts";

let folder = "";
const at = (name: string) => join(folder, name);
const ufs = makeSunUfs();

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "pureboot-harness-"));
  writeFileSync(at("sun.ufs"), ufs.image);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("run", () => {
  test("stops a program and its children at the timeout", async () => {
    const result = await run("sh", ["-c", "sleep 1000 & echo started; wait"], { timeoutMilliseconds: 500 });
    expect(result.stopped).toBe("timeout");
    expect(result.stdout.toString()).toBe("started\n");
    expect(result.milliseconds).toBeLessThan(5000);
  });
});

describe("boot probe", () => {
  testWith(["qemu-system-x86_64"], "says what modules reached it, and judges their hash", async () => {
    const bytes = Buffer.alloc(100_001, "not a file system");
    writeFileSync(at("module"), bytes);
    writeFileSync(at("module.hash"), `${createHash("sha1").update(bytes).digest("hex")}\n`);
    writeFileSync(at("wrong.hash"), `${"0".repeat(40)}\n`);
    const report = await probeImage(at("module"), { hash: at("module.hash") });
    expect(report.protocol).toBe("multiboot1");
    expect(report.modules.map(({ size, type, format }) => ({ size, type, format }))).toEqual([
      { size: 100_001, type: "rootfs", format: "other" },
      { size: 41, type: "hash", format: "other" },
    ]);
    expect(report.modules[0]?.crc32).toBe(crc32(bytes).toString(16).padStart(8, "0"));
    expect(report.sha1).toEqual([expect.objectContaining({ module: 0, verdict: "match" })]);
    expect(report.verdict).toBe("bad"); // no UFS: a kernel would not find its root
    expect((await probeImage(at("module"), { hash: at("wrong.hash") })).sha1[0]?.verdict).toBe("mismatch");
  });

  testWith(["qemu-system-x86_64"], "walks a UFS image", async () => {
    const report = await probeImage(at("sun.ufs"));
    expect(report.errors).toEqual([]);
    expect(report.verdict).toBe("good");
    expect(report.machine.status).toBe(33);
    expect(compareListings(ufs.listing("crc32"), report.modules[0]?.listing ?? new Map())).toEqual([]);
    expect(report.modules[0]?.superblock.get("fs_state+fs_time")).toBe("0x7c269d38");
  });

  testWith(["qemu-system-x86_64"], "sees one changed bit, and ends on a directory that contains itself", async () => {
    const damaged = Buffer.from(ufs.image);
    const marker = damaged.indexOf("block 2059 ");
    damaged.writeUInt8(damaged.readUInt8(marker) ^ 1, marker);
    const motd = damaged.indexOf("motd\0");
    damaged.writeUInt32LE(2, motd - 8); // now /etc/motd is the root directory
    writeFileSync(at("damaged.ufs"), damaged);
    const report = await probeImage(at("damaged.ufs"));
    expect(report.verdict).toBe("bad");
    expect(report.errors).toEqual(["ufs inode 2: directory's . or .. is wrong /etc/motd"]);
    const differences = compareListings(ufs.listing("crc32"), report.modules[0]?.listing ?? new Map());
    expect(differences).toContainEqual(expect.stringMatching(/^\/big: digest is "[0-9a-f]{8}", expected/));
  });

  testWith(
    ["qemu-system-x86_64", "OVMF_CODE", "OVMF_VARS", "grub-mkstandalone", "grub-efi", "mformat", "mmd", "mcopy"],
    "starts by multiboot 2, under UEFI, from a USB stick",
    async () => {
      const hash = createHash("sha1").update(ufs.image).digest("hex");
      const menu = ["serial --unit=0 --speed=115200", "terminal_output serial", "multiboot2 (memdisk)/unix -v"];
      menu.push("module2 (memdisk)/ramdisk /platform/boot_archive type=rootfs");
      menu.push("module2 (memdisk)/hash /platform/boot_archive.hash type=hash", "boot", "");
      writeFileSync(at("grub.cfg"), menu.join("\n"));
      writeFileSync(at("sun.hash"), hash);
      const modules = ["--modules=multiboot2 serial terminal", "--locales=", "--fonts=", "--themes="];
      const files = { "boot/grub/grub.cfg": "grub.cfg", ramdisk: "sun.ufs", hash: "sun.hash" };
      const grafts = Object.entries(files).map(([inside, name]) => `${inside}=${at(name)}`);
      const output = ["-O", "x86_64-efi", "-o", at("BOOTX64.EFI")];
      await runText(oracle("grub-mkstandalone"), [...output, ...modules, ...grafts, `unix=${probePath()}`]);
      writeFileSync(at("stick"), new Uint8Array(64 * 1024 * 1024));
      await runText(oracle("mformat"), ["-i", at("stick"), "-F", "::"]);
      await runText(oracle("mmd"), ["-i", at("stick"), "::/EFI", "::/EFI/BOOT"]);
      await runText(oracle("mcopy"), ["-i", at("stick"), at("BOOTX64.EFI"), "::/EFI/BOOT/"]);
      const report = await bootProbe({ usbStick: at("stick"), firmware: "uefi", memoryMiB: 768 });
      expect(report.protocol).toBe("multiboot2");
      expect(report.cmdline).toBe("-v");
      expect(report.sha1).toEqual([{ module: 0, digest: hash, verdict: "match" }]);
      expect(compareListings(ufs.listing("crc32"), report.modules[0]?.listing ?? new Map())).toEqual([]);
      expect(report.verdict).toBe("good");
    },
  );

  testWith(["qemu-system-x86_64"], "says so when no module came", async () => {
    const report = await bootProbe({ kernel: probePath(), append: "-B console=ttya" });
    expect(report.cmdline).toContain("-B console=ttya");
    expect(report.errors).toEqual(["no module of type rootfs"]);
  });
});

describe("Linux guest", () => {
  testWith(
    ["qemu-system-x86_64", "linux", "gcc"],
    "lists a UFS image, and sees what is wrong with others",
    async () => {
      const garbled = Buffer.from(ufs.image);
      garbled.writeUInt16LE(3, garbled.indexOf("motd\0") - 4); // reclen of /etc/motd
      garbled.writeInt32LE(0, 8192 + 132); // fs_state
      writeFileSync(at("garbled.ufs"), garbled);
      writeFileSync(at("noise"), Buffer.alloc(1024 * 1024, "noise"));
      const [good, bad, wrongType, noise] = await mountInLinux([
        { image: at("sun.ufs"), type: "ufs" },
        { image: at("garbled.ufs"), type: "ufs" },
        { image: at("sun.ufs"), type: "ufs", options: "ufstype=44bsd" },
        { image: at("noise"), type: "ufs" },
      ]);
      expect(good?.complaints).toEqual([]);
      expect(compareListings(ufs.listing("sha256"), good?.listing ?? new Map())).toEqual([]);
      expect(bad?.complaints.join("\n")).toMatch(/fs needs fsck/);
      expect(bad?.complaints.join("\n")).toMatch(/rec_len|bad entry/);
      expect(wrongType?.complaints.length).toBeGreaterThan(0);
      expect(noise?.listing.size).toBe(0);
      expect(noise?.errors[0]).toMatch(/^mount: /);
    },
  );
});

describe("grub-fstest", () => {
  testWith(["grub-fstest"], "reads a UFS image, and sees what differs", async () => {
    const listing = ufs.listing("crc32");
    expect(await compareWithGrub(at("sun.ufs"), listing)).toEqual([]);
    expect([...(await grubList(at("sun.ufs"), "/etc")).keys()]).toEqual(["motd"]);
    expect((await grubCat(at("sun.ufs"), "/hard")).toString()).toBe("message of the day\n");
    await expect(grubCat(at("sun.ufs"), "/nowhere")).rejects.toThrow(/not found/);
    const changed = Buffer.from(ufs.image);
    changed.write("MESSAGE", changed.indexOf("message of the day"));
    writeFileSync(at("changed.ufs"), changed);
    const differences = await compareWithGrub(at("changed.ufs"), listing);
    expect(differences.map((line) => line.slice(0, line.indexOf(":"))).sort()).toEqual(["/etc/motd", "/hard"]);
  });
});

/** What an ISO made by genisoimage keeps of a directory on the host. */
const ISO_FIELDS: readonly Field[] = ["type", "mode", "uid", "gid", "size", "mtimeSeconds", "target", "digest"];

describe("an ISO made by genisoimage", () => {
  beforeAll(async () => {
    mkdirSync(at("tree/boot/grub"), { recursive: true });
    mkdirSync(at("tree/a folder"), { mode: 0o700 });
    copyFileSync(probePath(), at("tree/boot/unix"));
    copyFileSync(at("sun.ufs"), at("tree/boot/ramdisk"));
    writeFileSync(at("tree/a folder/\xfc, a name in UTF-8 with blanks"), "text\n");
    linkSync(at("tree/boot/unix"), at("tree/hard link"));
    symlinkSync("../boot/unix", at("tree/a folder/link"));
    const menu = "serial --unit=0 --speed=115200\nterminal --dumb serial\ntimeout 0\ndefault 0\ntitle probe\n";
    const entry = "kernel /boot/unix -B console=ttya\nmodule /boot/ramdisk\n";
    writeFileSync(at("tree/boot/grub/menu.lst"), menu + entry);
  });

  const makeIso = async () => {
    copyFileSync(oracle("stage2_eltorito"), at("tree/boot/grub/stage2_eltorito")); // -boot-info-table writes into it
    const boot = ["-b", "boot/grub/stage2_eltorito", "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table"];
    const words = ["-quiet", "-R", "-input-charset", "utf-8", "-V", "HARNESS", ...boot, "-c", ".catalog"];
    await runText(oracle("genisoimage"), [...words, "-o", at("test.iso"), at("tree")]);
    return at("test.iso");
  };

  testWith(
    ["genisoimage", "stage2_eltorito", "qemu-system-x86_64"],
    "boots the probe through GRUB legacy",
    async () => {
      const report = await bootProbe({ cdrom: await makeIso(), memoryMiB: 256 });
      expect(report.loader).toMatch(/^GNU GRUB 0\.9/);
      expect(report.cmdline).toBe("/boot/unix -B console=ttya");
      expect(report.modules.map(({ type, cmdline }) => [type, cmdline])).toEqual([["rootfs", "/boot/ramdisk"]]);
      expect(compareListings(ufs.listing("crc32"), report.modules[0]?.listing ?? new Map())).toEqual([]);
      expect(report.verdict).toBe("good");
    },
  );

  testWith(
    ["genisoimage", "stage2_eltorito", "qemu-system-x86_64", "linux", "gcc"],
    "is mounted by Linux",
    async () => {
      const image = await makeIso();
      const [disk, cd] = await mountInLinux([
        { image, type: "iso9660" },
        { image, type: "iso9660", as: "cd" },
      ]);
      const ignore = (path: string) => path === "/.catalog" || path === "/boot/grub/stage2_eltorito";
      const expected = listDirectory(at("tree"), "sha256");
      for (const mounted of [disk, cd]) {
        expect(mounted?.complaints).toEqual([]);
        expect(compareListings(expected, mounted?.listing ?? new Map(), { fields: ISO_FIELDS, ignore })).toEqual([]);
      }
    },
  );

  testWith(
    ["genisoimage", "stage2_eltorito", "xorriso", "isoinfo", "isovfy", "bsdtar"],
    "is read by others",
    async () => {
      const image = await makeIso();
      const report = await bootReport(image);
      expect(report.images).toEqual([
        {
          platform: "BIOS",
          bootable: true,
          emulation: "none",
          loadSegment: 0,
          loadSectors: 4,
          lba: expect.any(Number),
          path: "/boot/grub/stage2_eltorito",
          options: ["boot-info-table"],
        },
      ]);
      expect(report.catalogPath).toBe("/.catalog");
      expect(await isovfy(image)).toEqual([]);
      expect((await isoinfoDescriptor(image)).get("Volume id")).toBe("HARNESS");

      const records = await isoinfoListing(image);
      expect(records.get("/boot/grub/stage2_eltorito")?.lba).toBe(report.images[0]?.lba);
      expect(records.get("/hard link")?.lba).toBe(records.get("/boot/unix")?.lba);
      expect(records.get("/a folder/link")?.target).toBe("../boot/unix");
      expect(records.get("/")?.flags).toBe(2);

      const ignore = (path: string) => path === "/.catalog" || path === "/boot/grub/stage2_eltorito";
      const options = { fields: ISO_FIELDS, ignore };
      expect(compareListings(listDirectory(at("tree"), "sha256"), await bsdtarListing(image), options)).toEqual([]);
      expect([...records.keys()].sort()).toEqual([...(await bsdtarListing(image)).keys()].sort());
    },
  );

  testWith(["genisoimage", "stage2_eltorito", "isovfy", "xorriso"], "is found damaged when it is", async () => {
    const damaged = readFileSync(await makeIso());
    damaged.writeUInt8(0x44, 17 * 2048); // the boot record's identifier
    writeFileSync(at("damaged.iso"), damaged);
    expect((await bootReport(at("damaged.iso"))).images).toEqual([]);
  });

  testWith(["genisoimage", "stage2_eltorito", "grub-fstest"], "is read by GRUB", async () => {
    const image = await makeIso();
    expect((await grubCat(image, "/a folder/\xc3\xbc, a name in UTF-8 with blanks")).toString()).toBe("text\n");
    expect([...(await grubList(image, "/boot/grub")).keys()].sort()).toEqual(["menu.lst", "stage2_eltorito"]);
  });
});
