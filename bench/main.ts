// npm run bench: pureboot beside what a person would otherwise run, on the same tree, in turn, in one run.
//
//   node dist/bench/main.js [--rounds 5] [--tree DIR] [--size 464m] [--paths 37000] [--only NAME] [--json FILE]

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { generateProto } from "../fixtures/generate.ts";
import { formatSize, parseSize } from "../src/bytes/index.ts";
import { type Compared, type Contender, compare } from "./measure.ts";

interface Case {
  readonly name: string;
  readonly what: string;
  /** The first is pureboot. `needs` are programs without which a contender is left out. */
  readonly contenders: readonly (Contender & { readonly needs?: readonly string[] })[];
}

const pureboot = `node ${fileURLToPath(new URL("../src/cli/main.js", import.meta.url))}`;
const QUIET = "--progress quiet --force >/dev/null 2>&1";

/** What a person without illumos would put together: the BSD dialect of UFS, which illumos cannot read, but as much work. */
const peerImage = (gzip: string): string =>
  `makefs -t ffs peer.ufs "$TREE" >/dev/null && ${gzip} <peer.ufs >peer.gz && mkdir -p peer && mv peer.gz peer/boot_archive && ` +
  "xorriso -as mkisofs -quiet -R -o peer.iso peer >/dev/null 2>&1";

function cases(): Case[] {
  return [
    {
      name: "iso",
      what: "tree to bootable ISO",
      contenders: [
        { name: "pureboot", command: `${pureboot} build "$TREE" -o own.iso --loader none ${QUIET}` },
        { name: "pureboot, pako", command: `${pureboot} build "$TREE" -o own.iso --loader none --gzip pako ${QUIET}` },
        { name: "makefs + pigz -6 + xorriso", command: peerImage("pigz -6"), needs: ["makefs", "pigz", "xorriso"] },
        { name: "makefs + gzip -6 + xorriso", command: peerImage("gzip -6"), needs: ["makefs", "gzip", "xorriso"] },
      ],
    },
    {
      name: "deflate",
      what: "the ISO against the deflate time alone, on all processors",
      contenders: [
        { name: "pureboot", command: `${pureboot} build "$TREE" -o own.iso --loader none ${QUIET}` },
        {
          name: "deflate alone",
          command: `test -f raw.ufs || ${pureboot} archive "$TREE" -o raw.ufs --no-gzip ${QUIET}; node ${fileURLToPath(new URL("./deflate-bound.js", import.meta.url))} raw.ufs`,
        },
      ],
    },
    {
      name: "ufs",
      what: "tree to raw UFS",
      contenders: [
        { name: "pureboot", command: `${pureboot} archive "$TREE" -o own.ufs --no-gzip ${QUIET}` },
        { name: "makefs", command: `makefs -t ffs peer.ufs "$TREE" >/dev/null`, needs: ["makefs"] },
      ],
    },
    {
      name: "plain-iso",
      what: "tree to ISO 9660, no archive",
      contenders: [
        { name: "pureboot", command: `${pureboot} mkisofs -quiet -R -o own.iso "$TREE" >/dev/null` },
        {
          name: "xorriso",
          command: `rm -f peer.iso; xorriso -as mkisofs -quiet -R -o peer.iso "$TREE" >/dev/null 2>&1`,
          needs: ["xorriso"],
        },
        {
          name: "genisoimage",
          command: `genisoimage -quiet -R -o peer.iso "$TREE" >/dev/null 2>&1`,
          needs: ["genisoimage"],
        },
      ],
    },
    ...sourceCases(),
    {
      name: "help",
      what: "pureboot --help",
      contenders: [
        { name: "pureboot", command: `${pureboot} --help >/dev/null` },
        { name: "node -e 0", command: "node -e 0" },
      ],
    },
  ];
}

const proto = (name: string): string => `test -f ${name} || tar -C "$TREE" --sort=name -caf ${name} . ;`;
const GATE = `test -d gate || node ${fileURLToPath(new URL("../fixtures/write-manifests.js", import.meta.url))} "$TREE" gate >/dev/null;`;

/** The same tree from elsewhere, and with manifests. What a case needs is made in the round that does not count. */
function sourceCases(): Case[] {
  const archive = (source: string, options = ""): string =>
    `${pureboot} archive ${source} -o own.ufs --no-gzip ${options} ${QUIET}`;
  return [
    {
      name: "tar",
      what: "raw UFS of a tar of the tree, of the same gzip'd, and of the tree itself",
      contenders: [
        { name: "pureboot, tar", command: `${proto("proto.tar")} ${archive("proto.tar")}` },
        { name: "pureboot, directory", command: archive('"$TREE"') },
        { name: "pureboot, tar.gz", command: `${proto("proto.tar.gz")} ${archive("proto.tar.gz")}` },
        { name: "gzip -d, pureboot, tar", command: `gzip -dc proto.tar.gz >plain.tar; ${archive("plain.tar")}` },
      ],
    },
    {
      name: "manifests",
      what: "planning with 600 manifests, and without",
      contenders: [
        { name: "600 manifests", command: `${GATE} ${archive('"$TREE"', "--dry-run --manifests gate/manifests")}` },
        { name: "none", command: archive('"$TREE"', "--dry-run") },
      ],
    },
  ];
}

function isInstalled(program: string): boolean {
  return spawnSync("/bin/sh", ["-c", `command -v ${program}`]).status === 0;
}

function table(rows: readonly Compared[]): string {
  const lines = rows.map(({ name, wallSeconds, cpuSeconds, peakBytes, wallRatio }) => {
    const figures = [
      `${wallSeconds.toFixed(2)} s`,
      `${cpuSeconds.toFixed(2)} s`,
      formatSize(peakBytes),
      (1 / wallRatio).toFixed(2),
    ];
    return `| ${[name, ...figures].join(" | ")} |`;
  });
  return ["| command | wall | processor | peak memory | pureboot / this |", "|---|---|---|---|---|", ...lines].join(
    "\n",
  );
}

function main(): void {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "5" },
      tree: { type: "string" },
      size: { type: "string", default: "464000000" },
      paths: { type: "string", default: "37000" },
      only: { type: "string", multiple: true },
      json: { type: "string" },
    },
  });
  const folder = mkdtempSync(path.join(tmpdir(), "pureboot-bench-"));
  try {
    const tree = values.tree ? path.resolve(values.tree) : path.join(folder, "proto");
    if (!values.tree) generateProto(tree, { sizeBytes: parseSize(values.size, "--size"), paths: Number(values.paths) });
    process.env["TREE"] = tree;
    const results: Record<string, Compared[]> = {};
    for (const { name, what, contenders } of cases()) {
      if (values.only && !values.only.includes(name)) continue;
      const there = contenders.filter(({ needs = [] }) => needs.every(isInstalled));
      for (const { name: missing } of contenders.filter((one) => !there.includes(one))) {
        console.log(`${name}: ${missing} is left out: not installed`);
      }
      const rows = compare(there, Number(values.rounds), folder);
      results[name] = rows;
      console.log(`\n**${name}**: ${what}\n\n${table(rows)}`);
    }
    if (values.json) writeFileSync(values.json, `${JSON.stringify(results, undefined, 2)}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

main();
