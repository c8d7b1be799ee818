// pureboot build and archive as a user meets them: what they say, which status they end with, what they leave behind.
// They are run as they were compiled last (npm run build).

import { type SpawnSyncReturns, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { writeExampleProto } from "../../fixtures/example.ts";

const top = path.resolve(import.meta.dirname, "../..");
const MAIN = path.join(top, "dist/cli/main.js");
const scratch = mkdtempSync(path.join(tmpdir(), "pureboot-cli-"));
const out = path.join(scratch, "out");
const at = (name: string): string => path.join(scratch, name);

/** Something that passes for a GRUB stage until it is run. */
function fakeStage(): Uint8Array {
  const bytes = new Uint8Array(5000);
  new DataView(bytes.buffer).setUint32(8, 0xdeadbeef, true);
  return bytes;
}

beforeAll(() => {
  writeExampleProto(at("proto"));
  writeFileSync(at("stage"), fakeStage());
  mkdirSync(at("empty"));
}, 120_000);
beforeEach(() => {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out);
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function pureboot(...words: string[]): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [MAIN, ...words], {
    cwd: scratch,
    encoding: "utf8",
    env: { ...process.env, SOURCE_DATE_EPOCH: "" },
  });
}

const build = (proto: string, ...words: string[]): SpawnSyncReturns<string> =>
  pureboot("build", proto, "-o", "out/x.iso", "--stage2", "stage", ...words);

/** The one line that an error is. */
function errorLine({ stderr }: SpawnSyncReturns<string>): string {
  const lines = stderr
    .trim()
    .split("\n")
    .filter((line) => !line.includes("warning:"));
  expect(lines).toHaveLength(1);
  return lines[0] ?? "";
}

function expectNothingLeft(): void {
  expect(readdirSync(out)).toEqual([]);
}

describe("a good build", () => {
  test("sums up what it made, and --json says the same to programs", () => {
    const told = build("proto");
    expect(told.status).toBe(0);
    for (const row of ["proto area", "ramdisk", "archive", "boot loader", "to boot", "image", "sha256", "time"]) {
      expect(told.stdout).toMatch(new RegExp(`^${row} +\\S`, "m"));
    }
    expect(told.stderr).toMatch(/warning: .*blank.*--kernel-state/);
    const json = JSON.parse(build("proto", "--json", "--force").stdout);
    expect(json).toMatchObject({ schema: 1, command: "build", output: "out/x.iso", loader: "grub", init: "shell" });
    expect(told.stdout).toContain(json.sha256);
    expect(json.iso.sizeBytes).toBe(readFileSync(at("out/x.iso")).length);
    expect(readdirSync(out)).toEqual(["x.iso"]);
  });

  test("--dry-run plans and writes nothing", () => {
    const { status, stdout } = build("proto", "--dry-run");
    expect(status).toBe(0);
    expect(stdout).toMatch(/ramdisk +\d+\.\d MiB/);
    expectNothingLeft();
  });

  test("edits are applied in order, and each says what it matched", () => {
    const { status, stdout, stderr } = build(
      "proto",
      ...[
        "--remove",
        "usr/share/man",
        "--remove",
        "no/such/*",
        "--add",
        "etc/extra=stage",
        "--chmod",
        "etc/extra=0400",
      ],
      ...["--chown", "etc/extra=sys:3", "--mkdir", "opt/new=0700", "--symlink", "opt/link=../etc/extra"],
    );
    expect(status).toBe(0);
    expect(stdout).toContain("--remove usr/share/man: 1 path\n");
    expect(stdout).toContain("--chmod etc/extra=0400: 1 path\n");
    expect(stderr).toMatch(/warning: --remove no\/such\/\*: matches nothing/);
  });

  test("kernel state files are taken over, and incomplete ones are named", () => {
    mkdirSync(at("state"), { recursive: true });
    writeFileSync(
      at("state/name_to_major"),
      "ramdisk 1\nrootnex 2\npseudo 3\nclone 4\ncn 5\nmm 6\nsysmsg 7\noptions 8\n",
    );
    writeFileSync(at("state/driver_aliases"), 'e1000g "pci8086,100e"\n');
    const { status, stderr } = build("proto", "--kernel-state", "state");
    expect(status).toBe(0);
    expect(stderr).toMatch(/--kernel-state has no driver_classes/);
    expect(stderr).not.toMatch(/etc\/name_to_major: blank/);
  });

  test("a rebuild takes from the cache what did not change, and makes the same bytes as without it", () => {
    const build = (output: string, ...words: string[]): number => {
      const { stdout, stderr } = pureboot("build", "proto", "-o", output, "--stage2", "stage", "--json", ...words);
      expect(stderr).not.toMatch(/error/);
      return JSON.parse(stdout).archive.cachedBytes;
    };
    const cache = ["--cache", "out/cache"];
    expect(build("out/first.iso", ...cache)).toBe(0);
    const ramdiskBytes = build("out/again.iso", ...cache);
    expect(ramdiskBytes).toBeGreaterThan(10_000_000);
    writeFileSync(at("changed"), "a change\n".repeat(3000));
    const changed = ["--add", "etc/changed=changed"];
    expect(build("out/cached.iso", ...cache, ...changed)).toBeGreaterThan(ramdiskBytes / 2);
    expect(build("out/plain.iso", "--no-cache", ...changed)).toBe(0);
    const bytes = (name: string): Buffer => readFileSync(path.join(out, name));
    expect(bytes("again.iso").equals(bytes("first.iso"))).toBe(true);
    expect(bytes("cached.iso").equals(bytes("plain.iso"))).toBe(true);
    writeFileSync(path.join(out, "file"), "");
    expect(pureboot("build", "proto", "-o", "out/x.iso", "--cache", "out/file").stderr).toMatch(
      /out\/file: cannot write/,
    );
  });

  test("archive writes the ramdisk and its hash", () => {
    const { status } = pureboot("archive", "proto", "-o", "out/boot_archive", "--hash");
    expect(status).toBe(0);
    expect(readdirSync(out).sort()).toEqual(["boot_archive", "boot_archive.hash"]);
    expect(readFileSync(at("out/boot_archive.hash"), "latin1")).toMatch(/^[0-9a-f]{40}\n$/);
  });
});

describe("pipes", () => {
  const raw = (words: readonly string[], input?: Buffer) =>
    spawnSync(process.execPath, [MAIN, ...words], { cwd: scratch, input, maxBuffer: 2 ** 28 });

  test("-o - is the same bytes, with the summary on stderr; an archive on stdin is a source", () => {
    const words = ["archive", "proto", "--epoch", "0", "--level", "1"];
    expect(pureboot(...words, "-o", "out/boot_archive").status).toBe(0);
    const piped = raw([...words, "-o", "-"]);
    expect(piped.status).toBe(0);
    expect(piped.stdout.equals(readFileSync(at("out/boot_archive")))).toBe(true);
    expect(piped.stderr.toString()).toMatch(/^archive +standard output, [\d.]+ [KM]iB \(\d+ bytes\)$/m);
    const shown = raw(["inspect", "-", "--json"], piped.stdout);
    expect(JSON.parse(shown.stdout.toString())).toMatchObject({ image: "-" });
  });

  test("a build that fails sends nothing", () => {
    const failed = raw(["build", "proto", "-o", "-", "--stage2", "stage", "--size", "8m"]);
    expect([failed.status, failed.stdout.length]).toEqual([1, 0]);
  });

  /** Runs a command whose reader goes at once. */
  async function withoutReader(...words: string[]): Promise<{ status: number | null; stderr: string }> {
    const child = spawn(process.execPath, [MAIN, ...words], { cwd: scratch });
    child.stdout.destroy();
    let stderr = "";
    child.stderr.on("data", (text) => {
      stderr += text;
    });
    const status = await new Promise<number | null>((resolve) => child.on("close", resolve));
    return { status, stderr };
  }

  test("a reader that goes is no error where there is only something to print", async () => {
    expect(await withoutReader("ls", "-R", "proto")).toEqual({ status: 0, stderr: "" });
    expect(await withoutReader("manifest", "proto")).toEqual({ status: 0, stderr: "" });
    expect(await withoutReader("cat", "proto", "/etc/passwd")).toEqual({ status: 0, stderr: "" });
  });

  test("a reader that goes before it has its image is one", async () => {
    const { status, stderr } = await withoutReader("archive", "proto", "-o", "-");
    expect(stderr).toMatch(/standard output: its reader ended before it had the whole image/);
    expect(status).toBe(1);
  });
});

describe("bad input gets one line, a status, and leaves nothing", () => {
  const cases: readonly (readonly [title: string, words: () => string[], status: number, line: RegExp])[] = [
    ["no source", () => ["build", "-o", "out/x.iso"], 2, /no source: name a proto area/],
    [
      "a source that is missing",
      () => ["build", "nowhere", "-o", "out/x.iso"],
      4,
      /nowhere.*(no such|does not exist|missing)/i,
    ],
    ["a source that is a file", () => ["build", "stage", "-o", "out/x.iso"], 4, /stage.*(director|archive)/],
    ["an empty source", () => ["build", "empty", "-o", "out/x.iso"], 4, /empty/],
    [
      "no stage in the proto area",
      () => ["build", "proto", "-o", "out/x.iso"],
      1,
      /no boot stage.*--stage2 FILE.*grub-legacy/,
    ],
    [
      "a stage that is none",
      () => ["build", "proto", "-o", "out/x.iso", "--stage2", "proto/etc/passwd"],
      1,
      /proto\/etc\/passwd: not a GRUB legacy El Torito stage/,
    ],
    ["a stage that is missing", () => ["build", "proto", "-o", "out/x.iso", "--stage2", "none"], 4, /none/],
    ["an output folder that is missing", () => ["build", "proto", "-o", "none/x.iso", "--stage2", "stage"], 1, /none/],
    [
      "an output inside the source",
      () => ["build", "proto", "-o", "proto/x.iso", "--stage2", "stage"],
      1,
      /proto\/x\.iso.*inside/,
    ],
    ["a bad size", () => ["build", "proto", "-o", "out/x.iso", "--size", "12q"], 2, /--size 12q: must be a size/],
    [
      "a bad console",
      () => ["build", "proto", "-o", "out/x.iso", "--stage2", "stage", "--console", "vga"],
      2,
      /--console vga: must be text, ttya/,
    ],
    [
      "a size that is too small",
      () => ["build", "proto", "-o", "out/x.iso", "--stage2", "stage", "--size", "8m"],
      1,
      /\d+ (bytes|inodes)/,
    ],
    [
      "an unknown owner",
      () => ["build", "proto", "-o", "out/x.iso", "--stage2", "stage", "--chown", "etc=nobdy:sys"],
      1,
      /unknown user "nobdy"/,
    ],
    [
      "--startup with SMF kept",
      () => ["build", "proto", "-o", "out/x.iso", "--stage2", "stage", "--init", "keep", "--rw"],
      1,
      /--init shell/,
    ],
    [
      "SMF without its libraries",
      () => ["build", "proto", "-o", "out/x.iso", "--stage2", "stage", "--init", "smf"],
      1,
      /libxml2, zlib, openssl/,
    ],
  ];
  for (const [title, words, status, line] of cases) {
    test(title, () => {
      const result = pureboot(...words());
      expect(errorLine(result)).toMatch(line);
      expect(result.status).toBe(status);
      expect(result.stdout).toBe("");
      expectNothingLeft();
      expect(existsSync(at("proto/x.iso"))).toBe(false);
    });
  }

  test("an unknown option: usage, status 2", () => {
    const { status, stderr } = pureboot("build", "proto", "--outptu", "x");
    expect(status).toBe(2);
    expect(stderr).toMatch(
      /^pureboot: unknown option --outptu; did you mean --output\? \(pureboot build --help .*\)\n$/,
    );
  });

  test("an output that is there already stays as it is without --force", () => {
    writeFileSync(at("out/x.iso"), "precious");
    expect(errorLine(build("proto"))).toMatch(/out\/x\.iso.*--force/);
    expect(readFileSync(at("out/x.iso"), "utf8")).toBe("precious");
    expect(build("proto", "--force").status).toBe(0);
  });

  test("names, links and files that a file system cannot hold name themselves", () => {
    writeExampleProto(at("odd"));
    symlinkSync("x".repeat(2000), at("odd/etc/longlink"));
    const long = build("odd");
    expect(errorLine(long)).toMatch(/\/etc\/longlink: .*2000 bytes.*102[34]/);
    expect(long.status).toBe(1);
    expectNothingLeft();
    rmSync(at("odd"), { recursive: true });
  });

  test("an unreadable file is named", () => {
    mkdirSync(at("locked/etc"), { recursive: true });
    writeFileSync(at("locked/etc/system"), "* nothing\n", { mode: 0 });
    for (const folder of [scratch, out]) chmodSync(folder, 0o777);
    const words = [MAIN, "build", "locked", "-o", "out/x.iso", "--stage2", "stage"];
    // root reads everything, so it must become somebody else
    const nobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
    const result = spawnSync(process.execPath, words, { cwd: scratch, encoding: "utf8", ...nobody });
    expect(errorLine(result)).toMatch(/etc\/system/);
    expect(result.status).toBe(4);
    expectNothingLeft();
  });

  test("sockets are left out with a warning", async () => {
    writeExampleProto(at("socketed"));
    const server = createServer().listen(at("socketed/var/door"));
    await new Promise((resolve) => server.once("listening", resolve));
    const result = build("socketed");
    server.close();
    expect(result.status).toBe(0);
    expect(result.stderr).toMatch(/warning: \/var\/door: a socket; left out/);
  });

  test("Ctrl-C leaves nothing and says so", async () => {
    const child = spawn(
      process.execPath,
      [
        MAIN,
        "build",
        "proto",
        "-o",
        "out/x.iso",
        "--stage2",
        "stage",
        "--gzip",
        "pako",
        "--level",
        "9",
        "--workers",
        "1",
      ],
      {
        cwd: scratch,
      },
    );
    let stderr = "";
    child.stderr.on("data", (text) => {
      stderr += text;
    });
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    while (readdirSync(out).length === 0 && child.exitCode === null)
      await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill("SIGINT");
    expect(await ended).toBe(130);
    expect(stderr).toMatch(/interrupted/);
    expectNothingLeft();
  });
});

describe("help", () => {
  test("lists the commands, and each command its options with examples", () => {
    const { status, stdout } = pureboot("--help");
    expect(status).toBe(0);
    expect(stdout).toMatch(/build +make a bootable ISO/);
    const help = pureboot("build", "--help");
    expect(help.status).toBe(0);
    for (const word of ["--kernel-state", "--size", "--stage2", "--epoch", "Examples:"])
      expect(help.stdout).toContain(word);
    expect(pureboot("--version").stdout.trim()).toBe(
      JSON.parse(readFileSync(path.join(top, "package.json"), "utf8")).version,
    );
  });
  test("no words: the help, status 2", () => {
    const { status, stderr } = pureboot();
    expect(status).toBe(2);
    expect(stderr).toContain("Usage: pureboot");
  });
});
