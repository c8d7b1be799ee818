// init, /etc/system, device links, GRUB's menu, the loader's configuration: texts that a kernel or a boot loader reads.

import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { memoryContent, textContent } from "../../src/bytes/index.ts";
import {
  addDeviceLinks,
  addMountPoints,
  checkConsole,
  deviceLinks,
  inspectStage2,
  isBlankState,
  kernelArguments,
  loaderConfComplaint,
  loaderFragment,
  menuLst,
  missingNeeds,
  parseNameToMajor,
  rcScript,
  shellInittab,
  smfLibraries,
  systemFile,
} from "../../src/illumos/index.ts";
import { directory, file, lookup, symlink, treeOf } from "../../src/tree/index.ts";

const base = { mode: 0o644, uid: 0, gid: 0, mtimeSeconds: 0 };
const text = (value: string) => file(base, textContent(value));
const empty = directory({ ...base, mode: 0o755 });

describe("init", () => {
  const original = [
    "ap::sysinit:/usr/sbin/autopush -f /etc/iu.ap",
    "smf::sysinit:/lib/svc/bin/svc.startd\t>/dev/msglog 2<>/dev/msglog </dev/console",
    "p3:s1234:powerfail:/usr/sbin/shutdown -y -i5 -g0 >/dev/msglog 2<>/dev/msglog",
  ];
  test("the smf entry runs our script instead of startd; a second time changes nothing", () => {
    const changed = shellInittab(original.join("\n"));
    expect(changed).toBe(`${original[0]}\n${original[2]}\nsmf::sysinit:/etc/pureboot.rc\n`);
    expect(shellInittab(changed)).toBe(changed);
  });
  test("the tunable comes once", () => {
    const changed = systemFile("* comment\n");
    expect(changed).toBe("* comment\nset pcplusmp:apic_kmdb_on_nmi=1\n");
    expect(systemFile(changed)).toBe(changed);
    expect(systemFile("set pcplusmp:apic_kmdb_on_nmi = 1\n")).toBe("set pcplusmp:apic_kmdb_on_nmi = 1\n");
  });
  test("the script is shell, prints any message, runs the rest once, and ends in the shell", () => {
    const message = `it's "me" $HOME \`id\` \\ done`;
    const script = rcScript({ message, startup: true, rw: true, shell: "/usr/bin/ksh93" });
    execFileSync("/bin/sh", ["-n", "-c", script]);
    expect(script).toContain("/etc/fs/ufs/mount -o remount,rw /devices/ramdisk:a /");
    expect(script.trimEnd().split("\n").at(-1)).toBe("exec /usr/bin/ksh93 -i");
    const echo = script.split("\n").find((line) => line.startsWith("printf ")) ?? "";
    expect(execFileSync("/bin/bash", ["-c", echo], { encoding: "utf8" })).toBe(`${message}\n`);
    const marked = script.indexOf("if [ ! -f");
    expect(script.indexOf("remount")).toBeGreaterThan(marked);
    expect(script.indexOf("pureboot.startup")).toBeGreaterThan(marked);
    expect(rcScript({ message, startup: false, rw: false, shell: "/sbin/sh" })).not.toContain("if [");
  });
});

describe("device links", () => {
  test("point from where they are to a node below /devices/pseudo", () => {
    const links = new Map(deviceLinks().map(({ path, target }) => [path, target]));
    expect(links.get("/dev/console")).toBe("../devices/pseudo/cn@0:console");
    expect(links.get("/dev/sad/admin")).toBe("../../devices/pseudo/sad@0:admin");
    expect(links.get("/dev/cpu/self/cpuid")).toBe("../../../devices/pseudo/cpuid@0:self");
    expect(links.get("/dev/dtrace/provider/fbt")).toBe("../../../devices/pseudo/fbt@0:fbt");
    expect(links.get("/dev/ipl")).toBe("../devices/pseudo/ipf@0:ipf");
    expect(links.get("/dev/ptyrf")).toBe("../devices/pseudo/ptc@0:ptyrf");
    expect(links.get("/dev/ramdiskctl")).toBe("../devices/pseudo/ramdisk@1024:ctl");
    expect(links.get("/dev/stdin")).toBe("./fd/0");
    for (const [path, target] of links) {
      if (path.startsWith("/dev/std")) continue;
      expect(new URL(target, `file://${path}`).pathname).toMatch(/^\/devices\/pseudo\/[a-z0-9]+@\d+:/);
    }
  });
  test("are added where they are missing, and leave alone what is there", () => {
    const tree = treeOf([["/dev/dld", symlink(base, "elsewhere")]], base);
    const { tree: linked, added } = addDeviceLinks(tree, base);
    expect(lookup(linked, "/dev/dld")).toMatchObject({ target: "elsewhere" });
    expect(added).toBe(deviceLinks().length - 1);
    expect(addDeviceLinks(linked, base).added).toBe(0);
    expect(lookup(linked, "/dev/fd")).toMatchObject({ type: "directory", mode: 0o555 });
  });
});

describe("what the kernel needs", () => {
  test("mount points are made once", () => {
    const first = addMountPoints(empty, base);
    expect(first.made).toContain("/devices");
    expect(lookup(first.tree, "/tmp")?.mode).toBe(0o1777);
    expect(lookup(first.tree, "/etc/mnttab")?.type).toBe("file");
    expect(addMountPoints(first.tree, base).made).toEqual([]);
  });
  test("what cannot be made is reported, with its severity", async () => {
    const codes = (await missingNeeds(empty)).map(({ code, severity, path }) => `${severity} ${code} ${path ?? ""}`);
    expect(codes).toContain("error missing-file /platform/i86pc/kernel/amd64/unix");
    expect(codes).toContain("error missing-file /etc/name_to_major");
    expect(codes).toContain("warning missing-file /kernel/drv/amd64/ramdisk");
    expect(codes).toContain("warning blank-kernel-state ");
  });
  test("state files of a bare proto area are blank, those of a system are not", () => {
    expect(isBlankState("# comment\nmd 85\ndevinfo 88\nasy 106\ndid 239\n")).toBe(true);
    expect(isBlankState('asy "pci11c1,480"\n')).toBe(true);
    expect(isBlankState("devinfo:* 0640 root sys\nmd:admin 0644 root sys\n")).toBe(true);
    expect(isBlankState("ramdisk 12\n")).toBe(false);
    expect(parseNameToMajor("# c\nclone 1\ncn\t2\n")).toEqual(
      new Map([
        ["clone", 1],
        ["cn", 2],
      ]),
    );
  });
  test("SMF's libraries are found wherever they lie", () => {
    expect(smfLibraries(empty)).toEqual(["libxml2", "zlib", "openssl"]);
    const tree = treeOf(
      [
        ["/usr/lib/libxml2.so.2", text("")],
        ["/lib/amd64/libz.so.1", text("")],
        ["/lib/libcrypto.so.1.1", text("")],
      ],
      base,
    );
    expect(smfLibraries(tree)).toEqual([]);
  });
});

describe("GRUB", () => {
  const stage = (extra = ""): Uint8Array => {
    const bytes = new Uint8Array(4096);
    new DataView(bytes.buffer).setUint32(8, 0xdeadbeef, true);
    bytes.set(new TextEncoder().encode(extra), 3000);
    return bytes;
  };
  test("its dialect is read out of the stage", async () => {
    expect(await inspectStage2(memoryContent(stage()), "s")).toBe("plain");
    expect(await inspectStage2(memoryContent(stage("kernel$")), "s")).toBe("illumos");
  });
  test("what is no stage is refused with a remedy", async () => {
    for (const bytes of [new Uint8Array(0), new Uint8Array(4096), new Uint8Array(2 ** 21)]) {
      await expect(inspectStage2(memoryContent(bytes), "some/file")).rejects.toMatchObject({
        code: "requirement",
        message: expect.stringMatching(/^some\/file: not a GRUB .*grub-legacy/),
      });
    }
  });
  test("kernel arguments carry one -B", () => {
    expect(kernelArguments("-v -B a=1", ["console=ttya"])).toBe("-v -B console=ttya,a=1");
    expect(kernelArguments("-Ba=1 -B b=2 -k", [])).toBe("-k -B a=1,b=2");
    expect(kernelArguments("", [])).toBe("");
  });
  test("the menu has the four entries in either dialect", () => {
    const menu = {
      kernelPath: "/platform/i86pc/kernel/amd64/unix",
      archivePath: "/platform/i86pc/boot_archive",
      console: "text",
      bootArgs: "-v",
      timeoutSeconds: 10,
      title: "illumos",
    };
    const illumos = menuLst({ ...menu, dialect: "illumos" });
    expect(illumos.match(/^title .*$/gm)).toHaveLength(4);
    expect(illumos).toContain("kernel$ /platform/i86pc/kernel/$ISADIR/unix -v\nmodule$ /platform/i86pc/boot_archive\n");
    expect(illumos).toContain("-v -B console=ttya,input-device=ttya,output-device=ttya");
    expect(illumos).toContain("-kv -d -v");
    expect(illumos).toContain("chainloader +1");
    const plain = menuLst({ ...menu, dialect: "plain", console: "ttyb", timeoutSeconds: -1 });
    expect(plain).not.toMatch(/[$]|timeout \d/);
    expect(plain).toContain("serial --unit=1 --speed=9600");
    expect(plain).toContain("kernel /platform/i86pc/kernel/amd64/unix -v -B console=ttyb,");
    expect(() => checkConsole("vga")).toThrow(/write text, ttya/);
  });
});

describe("illumos' loader", () => {
  test("the fragment is what the loader reads", () => {
    const fragment = loaderFragment({
      archivePath: "/platform/i86pc/boot_archive",
      hashPath: "/platform/i86pc/boot_archive.hash",
      console: "ttya",
      bootArgs: "-v -B foo=bar",
      menuTimeoutSeconds: 3,
    });
    expect(fragment.trimEnd().split("\n")).toEqual([
      'boot_archive_load="YES"',
      'boot_archive_type="rootfs"',
      'boot_archive_name="/platform/i86pc/boot_archive"',
      'boot_archive.hash_load="YES"',
      'boot_archive.hash_type="hash"',
      'boot_archive.hash_name="/platform/i86pc/boot_archive.hash"',
      'console="ttya,text"',
      'osconsole="ttya"',
      'boot-args="-v -B foo=bar"',
      'autoboot_delay="3"',
    ]);
    expect(loaderConfComplaint(fragment)).toBeUndefined();
  });
  test("files that would disable all that follow are recognised", () => {
    const good = '# c\n\n a="b"\t# c\nx = yes\nboot_archive.hash_name="/p/${ISADIR}//b"\n';
    expect(loaderConfComplaint(good)).toBeUndefined();
    expect(loaderConfComplaint('a="b"\r\n')).toMatch(/line 1: .*CR LF/);
    expect(loaderConfComplaint("a=1\njust words\n")).toMatch(/line 2: "just words" is not/);
    expect(loaderConfComplaint('a="b\\"c"\n')).toMatch(/escaped quote/);
    expect(loaderConfComplaint('a="b\n')).toMatch(/closing quote/);
    expect(loaderConfComplaint('a="/x/$ISADIR/y"\n')).toMatch(/braces/);
  });
});
