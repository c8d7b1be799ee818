// pureboot/testing: what holds passes, what does not says path, field, expected and found.

import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readAll } from "../../src/bytes/index.ts";
import {
  expectBoots,
  expectFile,
  expectNoFile,
  expectSound,
  openImage,
  type TestImage,
} from "../../src/node/testing.ts";
import { device, symlink, treeOf } from "../../src/tree/index.ts";
import { base, fatBytes, text } from "../inspect/images.ts";
import { ARCHIVE, grubParts, mediumOf, UNIX } from "../inspect/media.ts";

const scratch = mkdtempSync(path.join(tmpdir(), "pureboot-testing-"));
const at = (name: string): string => path.join(scratch, name);
const SYSTEM = "* Tunables.\nset maxusers=20\n";
let medium: TestImage;
let ramdisk: TestImage;

beforeAll(async () => {
  const parts = grubParts();
  parts.ramdisk.set("/etc/system", text(SYSTEM, { uid: 0, gid: 3, mode: 0o644 }));
  parts.ramdisk.set("/etc/gr\xc3\xbc\xc3\x9fe", text("a name in UTF-8"));
  parts.ramdisk.set("/etc/alias", parts.ramdisk.get("/etc/system") ?? text(""));
  parts.ramdisk.set("/etc/hosts", symlink(base, "./inet/hosts"));
  parts.ramdisk.set("/dev/null", device(base, "character", 13, 2));
  writeFileSync(at("good.iso"), await readAll(await mediumOf(parts)));
  parts.nodes.delete("/boot/grub/menu.lst");
  writeFileSync(at("bad.iso"), await readAll(await mediumOf(parts)));
  mkdirSync(at("tree/etc"), { recursive: true });
  writeFileSync(at("tree/etc/motd"), "Hello\n", { mode: 0o600 });
  symlinkSync("motd", at("tree/etc/issue"));
  medium = await openImage(at("good.iso"));
  ramdisk = await openImage(at("good.iso"), { archive: true });
});
afterAll(async () => {
  await medium.close();
  await ramdisk.close();
  rmSync(scratch, { recursive: true, force: true });
});

/** The message that a statement fails with. */
async function failure(statement: Promise<void>): Promise<string> {
  const error: unknown = await statement.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Error);
  return error instanceof Error ? error.message.replaceAll(scratch, "") : "";
}

test("what holds passes, in the medium, through the layers, and in the archive", async () => {
  await expectFile(medium, UNIX, { mode: 0o755, size: 40_960 });
  await expectFile(medium, `${ARCHIVE}/etc/system`, { mode: 0o644, content: SYSTEM });
  const sha256 = createHash("sha256").update(SYSTEM).digest("hex");
  const all = { type: "file", mode: 0o644, uid: 0, gid: 3, size: SYSTEM.length, links: 2, sha256 } as const;
  await expectFile(ramdisk, "/etc/system", { ...all, content: /^set maxusers=\d+$/m });
  await expectFile(ramdisk, "etc/system", { content: new TextEncoder().encode(SYSTEM) });
  await expectFile(ramdisk, "/etc/grüße", { content: "a name in UTF-8" });
  await expectFile(ramdisk, "/etc/hosts", { target: "./inet/hosts" });
  await expectFile(ramdisk, "/dev/null", { device: [13, 2] });
  await expectFile(ramdisk, "/dev/null", { type: "character", device: [13, 2] });
  await expectFile(ramdisk, "/tmp", { type: "directory" });
  await expectNoFile(ramdisk, "/usr/share/man");
  await expectNoFile(ramdisk, "/etc/system/below-a-file");
  await expectNoFile(medium, "/etc/system");
});

test("a directory, and an image inside of an image, are named like the ISO", async () => {
  const tree = await openImage(at("tree"));
  await expectFile(tree, "/etc/motd", { mode: 0o600, content: "Hello\n" });
  await expectFile(tree, "/etc/issue", { target: "motd" });
  await expect(expectSound(tree)).rejects.toThrow(/is a directory, not an image/);
  await tree.close();
  const inner = await openImage(`${at("good.iso")}${ARCHIVE}`);
  await expectFile(inner, "/etc/system", { gid: 3 });
  await expectSound(inner);
  await inner.close();
  writeFileSync(at("esp.img"), await fatBytes(treeOf([["/EFI/x", text("x")]], { ...base, mode: 0o755 })));
  const esp = await openImage(at("esp.img"));
  await expectSound(esp);
  expect(await failure(expectBoots(esp))).toBe(
    "/esp.img: expected a medium that boots illumos, found fat, which does not",
  );
  await esp.close();
});

test("what differs is told by path and field, all of it, with expected and found", async () => {
  expect(await failure(expectFile(ramdisk, "/etc/system", { mode: 0o4600, gid: 0, uid: 0 }))).toBe(
    `/good.iso: ${ARCHIVE}/etc/system: mode: expected 04600, found 0644; gid: expected 0, found 3`,
  );
  expect(await failure(expectFile(ramdisk, "/etc/system", { content: "* Tunables.\n" }))).toContain(
    'content: expected "* Tunables.\\n", found "* Tunables.\\nset maxusers=20\\n"',
  );
  expect(await failure(expectFile(ramdisk, "/etc/system", { content: /maxusers=21/ }))).toContain(
    "content: expected /maxusers=21/, found",
  );
  expect(await failure(expectFile(ramdisk, "/etc/hosts", { mode: 0o644 }))).toContain(
    "type: expected file, found symlink",
  );
  expect(await failure(expectFile(ramdisk, "/etc/system", { target: "x" }))).toContain(
    "target: expected x, found none; type: expected symlink, found file",
  );
  expect(await failure(expectFile(ramdisk, "/dev/null", { device: [13, 12] }))).toContain(
    "device: expected 13,12, found 13,2",
  );
  expect(await failure(expectFile(ramdisk, "/tmp"))).toContain("type: expected file, found directory");
  expect(await failure(expectFile(ramdisk, "/etc/sytem", { mode: 0o644 }))).toMatch(
    /expected \/etc\/sytem, found nothing there: .*did you mean system\?/,
  );
  expect(await failure(expectNoFile(ramdisk, "/etc/hosts"))).toBe(
    `/good.iso: ${ARCHIVE}/etc/hosts: expected nothing, found a symlink`,
  );
});

test("errors carry expected and actual, which runners show side by side", async () => {
  await expect(expectFile(ramdisk, "/etc/system", { mode: 0o600, uid: 0 })).rejects.toMatchObject({
    name: "AssertionError",
    expected: { mode: 0o600 },
    actual: { mode: 0o644 },
  });
});

test("sound, and made to boot; what is broken is named with its rule and its remedy", async () => {
  await expectSound(medium, { strict: true });
  await expectBoots(ramdisk); // the whole medium, whatever paths are looked at
  const bad = await openImage(at("bad.iso"));
  for (const statement of [expectSound, expectBoots]) {
    expect(await failure(statement(bad))).toMatch(
      /^\/bad.iso: expected a sound image, found\n {2}error \[grub-menu\] \/boot\/grub\/menu.lst is missing.*\n {4}mend: /,
    );
  }
  await expectBoots(bad, { except: ["grub-menu"] });
  await bad.close();
});

test("an image that cannot be read is no missing file", async () => {
  await expect(openImage(at("none.iso"))).rejects.toMatchObject({ code: "input-missing" });
  await expect(openImage(at("tree/etc/motd"), { archive: true })).rejects.toMatchObject({ code: "wrong-type" });
});
