// The harness itself: each oracle is tried on something whose content is known and that src/ has no part in, and must
// also see what is wrong in a damaged copy. Only then does its word count elsewhere.

import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mountInLinux } from "./harness/linux.ts";
import { compareListings } from "./harness/listing.ts";
import { bootProbe, PROBE, probeImage } from "./harness/probe.ts";
import { testWith } from "./harness/programs.ts";
import { run } from "./harness/run.ts";
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

  testWith(["qemu-system-x86_64"], "says so when no module came", async () => {
    const report = await bootProbe({ kernel: PROBE, append: "-B console=ttya" });
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
