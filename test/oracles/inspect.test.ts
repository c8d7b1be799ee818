// Looking into images, judged by others: xorriso and genisoimage make ISOs whose content is known, bsdtar and mtree read our
// manifests, a browser draws our maps.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { inflateSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeExampleProto } from "../../fixtures/example.ts";
import { oracle, testWith } from "./harness/programs.ts";
import { run, runText } from "./harness/run.ts";

const MAIN = path.resolve(import.meta.dirname, "../../dist/cli/main.js");
const scratch = mkdtempSync(path.join(tmpdir(), "pureboot-inspect-"));
const at = (name: string): string => path.join(scratch, name);
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const pureboot = (...words: string[]) =>
  run(process.execPath, [MAIN, ...words], { cwd: scratch, timeoutMilliseconds: 300_000 });
const text = async (...words: string[]): Promise<string> => (await pureboot(...words)).stdout.toString();

beforeAll(async () => {
  writeExampleProto(at("proto"));
  writeExampleProto(at("proto-loader"), "illumos");
  const build = (...words: string[]) => runText(process.execPath, [MAIN, "build", ...words], { cwd: scratch });
  await build("proto", "-o", "grub.iso", "--stage2", oracle("stage2_eltorito"));
  await build("proto-loader", "-o", "loader.iso");
});

describe("manifests", () => {
  testWith(["mtree"], "mtree finds an extracted ramdisk to be what its manifest says", async () => {
    await text("extract", "-a", "grub.iso", "-o", "ramdisk");
    writeFileSync(at("ramdisk.mtree"), await text("manifest", "-a", "grub.iso"));
    const judged = await run(oracle("mtree"), ["-f", at("ramdisk.mtree"), "-p", at("ramdisk")]);
    const complaints = judged.stdout.toString().trim();
    if (process.geteuid?.() === 0) expect([judged.status, complaints]).toEqual([0, ""]);
    else expect(complaints.split("\n").filter((line) => !/(uid|gid|mode|user|group)/.test(line))).toEqual([]);
  });

  testWith(["mtree"], "and says what was changed afterwards", async () => {
    await text("extract", "grub.iso", "-o", "medium");
    writeFileSync(at("medium.mtree"), await text("manifest", "grub.iso"));
    writeFileSync(at("medium/boot/grub/menu.lst"), "changed");
    const judged = await run(oracle("mtree"), ["-f", at("medium.mtree"), "-p", at("medium")]);
    expect(judged.status).toBe(2);
    expect(judged.stdout.toString()).toMatch(/boot\/grub\/menu\.lst:[\s\S]*size/);
  });

  testWith(["bsdtar"], "bsdtar lists every path of a manifest", async () => {
    const manifest = await text("manifest", "-a", "grub.iso");
    writeFileSync(at("list.mtree"), manifest);
    const listed = await runText(oracle("bsdtar"), ["-tf", at("list.mtree")]);
    expect(listed.trim().split("\n")).toHaveLength(manifest.split("\n").filter((line) => /^\./.test(line)).length);
  });
});

describe("images of others", () => {
  const source = at("source");
  beforeAll(() => {
    mkdirSync(path.join(source, "dir/deeper"), { recursive: true });
    writeFileSync(path.join(source, "dir/deeper/a file with a long name.text"), "content\n");
    writeFileSync(path.join(source, "dir/big"), Buffer.alloc(3_000_000, "0123456789"));
    symlinkSync("dir/big", path.join(source, "link"));
  });

  testWith(["xorriso"], "an ISO of xorriso's lists, extracts, verifies and compares as what went in", async () => {
    await runText(oracle("xorriso"), ["-as", "mkisofs", "-quiet", "-R", "-o", at("xorriso.iso"), source]);
    expect(await text("diff", "xorriso.iso", "source")).toBe("");
    await text("extract", "xorriso.iso", "-o", "out-xorriso");
    expect(await runText("diff", ["-r", "--no-dereference", at("out-xorriso"), source])).toBe("");
    const verdict = JSON.parse(await text("verify", "--json", "xorriso.iso"));
    expect([verdict.errors, verdict.boots]).toEqual([0, undefined]);
  });

  testWith(["genisoimage"], "one of genisoimage's, without Rock Ridge but with Joliet", async () => {
    await runText(oracle("genisoimage"), ["-quiet", "-J", "-joliet-long", "-o", at("joliet.iso"), source]);
    expect(await text("cat", "joliet.iso", "/dir/deeper/a file with a long name.text")).toBe("content\n");
    expect(await text("inspect", "joliet.iso")).toMatch(/ISO 9660 with Joliet/);
    expect(JSON.parse(await text("verify", "--json", "joliet.iso")).errors).toBe(0);
  });

  testWith(["bsdtar", "gzip"], "a tar of bsdtar's, compressed", async () => {
    await runText(oracle("bsdtar"), ["-czf", at("source.tgz"), "-C", source, "."]);
    expect(await text("diff", "source.tgz", "source")).toBe("");
    expect(await text("ls", "-R", "source.tgz")).toContain("a file with a long name.text");
  });

  testWith(["mformat", "mcopy", "mmd"], "a FAT of mtools'", async () => {
    writeFileSync(at("mtools.img"), Buffer.alloc(4 << 20));
    const env = { MTOOLS_SKIP_CHECK: "1" };
    await runText(oracle("mformat"), ["-i", at("mtools.img"), "-v", "LABEL", "::"], { env });
    await runText(oracle("mmd"), ["-i", at("mtools.img"), "::dir"], { env });
    await runText(oracle("mcopy"), ["-i", at("mtools.img"), path.join(source, "dir/big"), "::dir/big"], { env });
    expect(
      (await pureboot("cat", "mtools.img", "dir/big")).stdout.equals(readFileSync(path.join(source, "dir/big"))),
    ).toBe(true);
    expect(await text("stat", "mtools.img", "dir/big")).toMatch(/3000000 bytes/);
  });

  testWith(["gzip"], "an archive that gzip compressed is verified like ours", async () => {
    const archive = (await pureboot("cat", "grub.iso", "/platform/i86pc/boot_archive")).stdout;
    writeFileSync(at("boot_archive.gz"), archive);
    await runText(oracle("gzip"), ["-dkf", at("boot_archive.gz")]);
    await runText(oracle("gzip"), ["-9nf", at("boot_archive")]);
    const verdict = JSON.parse(await text("verify", "--json", "boot_archive.gz"));
    expect([verdict.kind, verdict.errors, verdict.boots]).toEqual(["gzip", 0, true]);
  });
});

describe("what was built", () => {
  test("verifies without an error, for each boot loader", async () => {
    for (const iso of ["grub.iso", "loader.iso"]) {
      const { status, stdout } = await pureboot("verify", "--json", iso);
      expect(
        JSON.parse(stdout.toString()).findings.filter((one: { severity: string }) => one.severity === "error"),
      ).toEqual([]);
      expect(status).toBe(0);
    }
  });

  test("differs from a build with another epoch in one line", async () => {
    for (const epoch of ["1500000000", "1500000001"]) {
      await text("build", "proto-loader", "-o", `${epoch}.iso`, "--epoch", epoch);
    }
    expect(await text("diff", "1500000000.iso", "1500000001.iso")).toMatch(/^time: \d+ paths and \d+ fields: \+1 s\n$/);
  });
});

// ---- pictures ----

/** Of what one runs Chromium with as root and without a network. */
const CHROMIUM_FLAGS =
  "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync --hide-scrollbars".split(
    " ",
  );

async function chromium(...words: string[]): Promise<string> {
  const profile = mkdtempSync(at("chromium-"));
  try {
    return await runText(oracle("chromium"), [...CHROMIUM_FLAGS, `--user-data-dir=${profile}`, ...words], {
      timeoutMilliseconds: 180_000,
    });
  } finally {
    rmSync(profile, { recursive: true, force: true });
  }
}

/** The pixels of a PNG of 8-bit RGB or RGBA, as Chromium writes it. */
function pixelsOf(png: Buffer): { width: number; height: number; at: (x: number, y: number) => number } {
  const [width, height, colorType] = [png.readUInt32BE(16), png.readUInt32BE(20), png[25]];
  const channels = colorType === 6 ? 4 : 3;
  const data: Buffer[] = [];
  for (let at = 8; at < png.length; at += png.readUInt32BE(at) + 12) {
    if (png.toString("latin1", at + 4, at + 8) === "IDAT")
      data.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  }
  const raw = inflateSync(Buffer.concat(data));
  const stride = width * channels;
  const pixels = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)];
    for (let x = 0; x < stride; x++) {
      const left = x >= channels ? (pixels[y * stride + x - channels] ?? 0) : 0;
      const up = y > 0 ? (pixels[(y - 1) * stride + x] ?? 0) : 0;
      const corner = x >= channels && y > 0 ? (pixels[(y - 1) * stride + x - channels] ?? 0) : 0;
      const guess = left + up - corner;
      const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
      const paeth = a <= b && a <= c ? left : b <= c ? up : corner;
      const predicted = [0, left, up, (left + up) >> 1, paeth][filter ?? 0] ?? 0;
      pixels[y * stride + x] = (raw[y * (stride + 1) + 1 + x] ?? 0) + predicted;
    }
  }
  return { width, height, at: (x, y) => pixels.readUIntBE(y * stride + x * channels, 3) };
}

async function screenshot(file: string, width: number, height: number) {
  const png = at(`${path.basename(file)}-${width}.png`);
  await chromium(
    `--window-size=${width},${height}`,
    "--virtual-time-budget=3000",
    `--screenshot=${png}`,
    `file://${file}`,
  );
  return pixelsOf(readFileSync(png));
}

/** How much of a picture is of the one colour that most of it has, and how many colours there are. */
function colorsOf(picture: ReturnType<typeof pixelsOf>, from = 0): { most: number; count: number } {
  const counts = new Map<number, number>();
  for (let y = from; y < picture.height; y += 2) {
    for (let x = 0; x < picture.width; x += 2) counts.set(picture.at(x, y), (counts.get(picture.at(x, y)) ?? 0) + 1);
  }
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return { most: Math.max(...counts.values()) / total, count: counts.size };
}

/** Puts a script into a page before its own, one behind it, and gives what the page left in #result. */
async function inPage(html: string, before: string, behind: string, width: number): Promise<unknown> {
  const file = at("probe.html");
  const page = html
    .replace(/<meta http-equiv[^>]*>/, "")
    .replace("<script>", `<script>window.onerror=(m)=>document.title="ERROR "+m;${before}</script><script>`)
    .replace("</body>", `<pre id="result"></pre><script>{${behind}}</script></body>`);
  writeFileSync(file, page);
  const dom = await chromium(
    `--window-size=${width},900`,
    "--virtual-time-budget=5000",
    "--dump-dom",
    `file://${file}`,
  );
  expect(dom).not.toMatch(/<title>ERROR/);
  const result = /<pre id="result">([\s\S]*?)<\/pre>/.exec(dom)?.[1] ?? "";
  return JSON.parse(result.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&"));
}

/** Keeps every text that is drawn on the canvas with its box. */
const WATCH_TEXTS = `
  const drawn = []; let erased = 0;
  const { fillText, clearRect } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.clearRect = function (...args) { drawn.length = 0; return clearRect.apply(this, args); };
  CanvasRenderingContext2D.prototype.fillText = function (words, x, y) {
    const { width } = this.measureText(words);
    const left = this.textAlign === "right" ? x - width : x;
    drawn.push([words, left, y - 5, width, 10]);
    return fillText.call(this, words, x, y);
  };`;
const TELL_TEXTS = `document.getElementById("result").textContent = JSON.stringify({
  texts: drawn, width: innerWidth, scroll: document.documentElement.scrollWidth, rows: document.getElementById("map").height });`;

interface Seen {
  readonly texts: readonly [string, number, number, number, number][];
  readonly width: number;
  readonly scroll: number;
}

/** Texts that lie over each other. */
function overlaps(texts: Seen["texts"]): string[] {
  const found: string[] = [];
  texts.forEach(([words, x, y, width, height], i) => {
    for (const [other, ox, oy, owidth, oheight] of texts.slice(i + 1)) {
      const across = Math.min(x + width, ox + owidth) - Math.max(x, ox);
      const down = Math.min(y + height, oy + oheight) - Math.max(y, oy);
      if (across > 1 && down > 2) found.push(`${words} / ${other}`);
    }
  });
  return found;
}

describe.each(["place", "size"])("maps by %s, in a browser", (by) => {
  const html = at(`${by}.html`);
  const svg = at(`${by}.svg`);
  beforeAll(async () => {
    await text("map", "grub.iso", "--by", by, "-o", html);
    await text("map", "grub.iso", "--by", by, "-o", svg);
  });

  testWith(["chromium"], "are not blank, at the width of a phone and of a desktop", async () => {
    for (const [file, width, height] of [
      [`${html}#1`, 390, 844],
      [`${html}#1`, 1280, 900],
      [svg, 1220, 1600],
    ] as const) {
      const picture = await screenshot(file, width, height);
      const { most, count } = colorsOf(picture, Math.floor(height / 2));
      expect(most).toBeLessThan(0.9);
      expect(count).toBeGreaterThan(8);
    }
  });

  testWith(
    ["chromium"],
    "have labels that lie beside each other, on pages that need no scrolling sideways",
    async () => {
      for (const width of [500, 1280]) {
        for (const layer of [0, 1]) {
          const page = readFileSync(html, "utf8").replaceAll("Number(location.hash.slice(1))", String(layer));
          const seen = (await inPage(page, WATCH_TEXTS, TELL_TEXTS, width)) as Seen;
          expect(seen.texts.length).toBeGreaterThan(3);
          expect(overlaps(seen.texts)).toEqual([]);
          expect(seen.scroll).toBeLessThanOrEqual(seen.width);
          for (const [, x, , textWidth] of seen.texts)
            expect([x >= -1, x + textWidth <= seen.width]).toEqual([true, true]);
        }
      }
    },
  );

  testWith(["chromium"], "tell what is pointed at, and lead into the archive", async () => {
    const behind = `
      const canvas = document.getElementById("map");
      const box = canvas.getBoundingClientRect();
      const told = [];
      const info = () => document.getElementById("info").textContent;
      const event = (type, x, y) => canvas.dispatchEvent(new PointerEvent(type, { clientX: box.left + x, clientY: box.top + y, pointerType: "mouse", bubbles: true }));
      event("pointermove", 300, ${by === "place" ? 6 : 200}); told.push(info());
      event("click", box.width / 2, box.height / 2); told.push(info());
      event("click", box.width / 2, box.height / 2); told.push(document.getElementById("title").textContent);
      document.getElementById("result").textContent = JSON.stringify(told);`;
    const [pointed, tapped, title] = (await inPage(readFileSync(html, "utf8"), "", behind, 1280)) as string[];
    expect(pointed).toMatch(/bytes/);
    expect(tapped).toMatch(/boot_archive.*Tap again to look inside/);
    expect(title).toMatch(/^\/platform\/i86pc\/boot_archive: UFS/);
  });

  testWith(["chromium"], "SVG texts lie beside each other, too", async () => {
    const page = `<!DOCTYPE html><body>${readFileSync(svg, "utf8")}<script></script></body>`;
    const behind = `document.getElementById("result").textContent = JSON.stringify({ width: 0, scroll: 0, texts:
      [...document.querySelectorAll("text")].map((one) => { const b = one.getBBox(); return [one.textContent, b.x, b.y, b.width, b.height]; }) });`;
    const { texts } = (await inPage(page, "", behind, 1400)) as Seen;
    expect(texts.length).toBeGreaterThan(20);
    expect(overlaps(texts)).toEqual([]);
    for (const [words, x, , width] of texts) expect([words, x + width < 1200]).toEqual([words, true]);
  });
});

test("nothing is left in the scratch directory but what was asked for", () => {
  expect(readdirSync(scratch).filter((name) => name.includes(".partial"))).toEqual([]);
  expect(execFileSync("ls", [scratch], { encoding: "utf8" })).toContain("grub.iso");
});
