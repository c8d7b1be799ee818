import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createFileSink, outputError } from "../../src/node/index.ts";
import { type Compiled, compileNodeRoom } from "./compiled.ts";
import { temporaryDirectory } from "./temporary.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text);

describe("createFileSink", () => {
  test("has the file under its name only when it is whole", async () => {
    const top = temporaryDirectory();
    const target = path.join(top, "out.iso");
    const sink = await createFileSink(target);
    await sink.write(bytes("world"), 6);
    await sink.write(bytes("hello"), 0);
    await sink.truncate(20);
    expect(existsSync(target)).toBe(false);
    const back = new Uint8Array(11);
    await sink.read(back, 0);
    expect(Buffer.from(back).toString()).toBe("hello\0world");
    await sink.commit();
    await sink.discard();
    expect(readdirSync(top)).toEqual(["out.iso"]);
    expect(readFileSync(target).equals(Buffer.concat([bytes("hello\0world"), new Uint8Array(9)]))).toBe(true);
  });

  test("what is not written is a hole", async () => {
    const target = path.join(temporaryDirectory(), "sparse");
    const sink = await createFileSink(target);
    await sink.write(bytes("x"), 0);
    await sink.truncate(2 ** 30);
    await sink.commit();
    expect(statSync(target).size).toBe(2 ** 30);
    if (process.platform === "linux") expect(statSync(target).blocks * 512).toBeLessThan(2 ** 20);
  });

  test("discard leaves nothing", async () => {
    const top = temporaryDirectory();
    const sink = await createFileSink(path.join(top, "out"));
    await sink.write(bytes("x"), 0);
    await sink.discard();
    await sink.discard();
    expect(readdirSync(top)).toEqual([]);
  });

  test("an existing file is replaced only with force, and stays when the new one fails", async () => {
    const top = temporaryDirectory();
    const target = path.join(top, "out");
    writeFileSync(target, "old");
    await expect(createFileSink(target)).rejects.toMatchObject({ code: "output", path: target });
    await expect(createFileSink(target)).rejects.toThrow("--force");
    const failed = await createFileSink(target, { force: true });
    await failed.write(bytes("new"), 0);
    await failed.discard();
    expect(readFileSync(target, "utf8")).toBe("old");
    const good = await createFileSink(target, { force: true });
    await good.write(bytes("new"), 0);
    await good.commit();
    expect(readFileSync(target, "utf8")).toBe("new");
    expect(readdirSync(top)).toEqual(["out"]);
  });

  test("a file that appears meanwhile is not replaced without force", async () => {
    const top = temporaryDirectory();
    const sink = await createFileSink(path.join(top, "out"));
    await sink.write(bytes("ours"), 0);
    writeFileSync(path.join(top, "out"), "theirs");
    await expect(sink.commit()).rejects.toMatchObject({ code: "output" });
    await sink.discard();
    expect(readdirSync(top)).toEqual(["out"]);
    expect(readFileSync(path.join(top, "out"), "utf8")).toBe("theirs");
  });

  test("a symbolic link as target stays one", async () => {
    const top = temporaryDirectory();
    mkdirSync(path.join(top, "images"));
    writeFileSync(path.join(top, "images/a"), "old");
    symlinkSync("images/a", path.join(top, "link"));
    const sink = await createFileSink(path.join(top, "link"), { force: true });
    await sink.write(bytes("new"), 0);
    await sink.commit();
    expect(readFileSync(path.join(top, "images/a"), "utf8")).toBe("new");
    expect(readdirSync(top).sort()).toEqual(["images", "link"]);
  });

  test("directories, devices and places that are not there are refused", async () => {
    const top = temporaryDirectory();
    await expect(createFileSink(top, { force: true })).rejects.toThrow("not a regular file");
    await expect(createFileSink(path.join(top, "no/out"))).rejects.toThrow("its directory does not exist");
    writeFileSync(path.join(top, "file"), "");
    await expect(createFileSink(path.join(top, "file/out"))).rejects.toMatchObject({ code: "output" });
    if (process.platform !== "win32") {
      await expect(createFileSink("/dev/null", { force: true })).rejects.toThrow("not a regular file");
    }
  });

  test("the output may not be inside of a source, by whatever name", async () => {
    const top = temporaryDirectory();
    mkdirSync(path.join(top, "proto/boot"), { recursive: true });
    symlinkSync("proto/boot", path.join(top, "link"));
    const sources = [path.join(top, "proto")];
    for (const target of ["proto/out", "proto/boot/out", "link/out", "proto/boot/../../proto/out"]) {
      await expect(createFileSink(path.join(top, target), { sources })).rejects.toMatchObject({ code: "conflict" });
    }
    for (const target of ["proto2", "out", "..out"]) {
      const sink = await createFileSink(path.join(top, target), { sources });
      await sink.discard();
    }
    expect(readdirSync(top).sort()).toEqual(["link", "proto"]);
  });

  test("a full disk is said so", () => {
    const full = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
    expect(outputError(full, "out.iso")).toMatchObject({
      code: "output",
      message: "out.iso: cannot write: no space left on the disk; free some, or write somewhere else",
    });
  });
});

describe.runIf(process.platform !== "win32")("processes that end early", () => {
  let compiled: Compiled;
  beforeAll(() => {
    compiled = compileNodeRoom();
  });
  afterAll(() => compiled.remove());

  const script = (body: string): string[] => [
    "--input-type=module",
    "-e",
    `import { createFileSink, onInterrupt } from ${JSON.stringify(compiled.file("index"))};
     const sink = await createFileSink("out");
     await sink.write(Buffer.alloc(100_000), 0);
     ${body}`,
  ];

  test("a write that the system refuses is an error, and nothing is left", () => {
    const top = temporaryDirectory();
    const body = `try { await sink.write(Buffer.alloc(100_000), 1_000_000); } catch (error) { console.log(error.code, error.message); }
      await sink.discard();`;
    // ulimit -f counts blocks of 512 bytes (or 1024, in bash): the second write is beyond the limit in both cases.
    const { stdout } = spawnSync("sh", ["-c", 'ulimit -f 400; exec "$@"', "sh", process.execPath, ...script(body)], {
      cwd: top,
      encoding: "utf8",
    });
    expect(stdout).toBe("output out: cannot write: larger than this file system allows; write somewhere else\n");
    expect(readdirSync(top)).toEqual([]);
  });

  test("process.exit in the middle leaves nothing", () => {
    const top = temporaryDirectory();
    const { status } = spawnSync(process.execPath, script("process.exit(3);"), { cwd: top });
    expect(status).toBe(3);
    expect(readdirSync(top)).toEqual([]);
  });

  test.each(["SIGINT", "SIGTERM"] as const)(
    "%s aborts the signal; a second one ends the process; nothing is left",
    (signal) => {
      const top = temporaryDirectory();
      const body = `const { signal } = onInterrupt();
      signal.addEventListener("abort", () => { console.log(signal.reason.code); process.kill(process.pid, "${signal}"); });
      process.kill(process.pid, "${signal}");
      await new Promise((resolve) => setTimeout(resolve, 20_000));`;
      const { status, stdout } = spawnSync(process.execPath, script(body), { cwd: top, encoding: "utf8" });
      expect([status, stdout]).toEqual([130, "interrupted\n"]);
      expect(readdirSync(top)).toEqual([]);
    },
  );

  test("a full disk (a small one, where one can be mounted)", (context) => {
    const top = temporaryDirectory();
    const disk = path.join(top, "disk");
    mkdirSync(disk);
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=256k", "none", disk], { stdio: "ignore" });
    } catch {
      context.skip("mounting takes root");
    }
    try {
      const body = `try { await sink.write(Buffer.alloc(1_000_000), 0); } catch (error) { console.log(error.message); }
        await sink.discard();`;
      const { stdout } = spawnSync(process.execPath, script(body), { cwd: disk, encoding: "utf8" });
      expect(stdout).toMatch(/no space left on the disk/);
      expect(readdirSync(disk)).toEqual([]);
    } finally {
      execFileSync("umount", [disk]);
    }
  });
});
