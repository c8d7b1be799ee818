// What is measured: pureboot beside what a person would otherwise run, on the same tree. The first contender of a case is
// pureboot's; all are shell commands with $TREE, in a folder of their own.

import { fileURLToPath } from "node:url";
import type { Contender } from "./measure.ts";
import { someFile, type TreeName } from "./trees.ts";

export interface Peer extends Contender {
  /** Programs without which it is left out. */
  readonly needs?: readonly string[];
  /** What pureboot's time by this one's is to be at most. */
  readonly most?: number;
}

export interface Case {
  readonly name: string;
  readonly what: string;
  readonly tree: TreeName;
  /** Run once before all; not measured. */
  readonly prepare?: string;
  readonly contenders: readonly [Peer, ...Peer[]];
}

const script = (name: string): string => `node ${fileURLToPath(new URL(name, import.meta.url))}`;
const pureboot = script("../cli/main.js");
const QUIET = "--progress quiet --force >/dev/null 2>&1";
const build = (words: string): string => `${pureboot} build "$TREE" -o own.iso --loader none ${words} ${QUIET}`;
const rawOf = (source: string, words = ""): string =>
  `${pureboot} archive ${source} -o own.ufs --no-gzip ${words} ${QUIET}`;
const raw = rawOf('"$TREE"');
const TARRED = 'tar -C "$TREE" --sort=name -cf proto.tar .';

/** What a person without illumos would put together: the BSD dialect of UFS, which illumos cannot read, but as much work. */
const peerImage = (gzip: string): string =>
  `makefs -t ffs peer.ufs "$TREE" >/dev/null && ${peerMedium(gzip, "peer.ufs")}`;
const peerMedium = (gzip: string, image: string): string =>
  `${gzip} <${image} >peer.gz && mkdir -p peer && mv peer.gz peer/boot_archive && ` +
  "xorriso -as mkisofs -quiet -R -o peer.iso peer >/dev/null 2>&1";

const withPigz = (most: number): Peer => ({
  name: "makefs + pigz -6 + xorriso",
  command: peerImage("pigz -6"),
  needs: ["makefs", "pigz", "xorriso"],
  most,
});
const makefs: Peer = {
  name: "makefs",
  command: 'makefs -t ffs peer.ufs "$TREE" >/dev/null',
  needs: ["makefs"],
  most: 1,
};

/** An ISO, its archive and its ramdisk, for the cases that look into them. */
const LOOKED_AT =
  `test -f look.iso || ${pureboot} build "$TREE" -o look.iso --loader none ${QUIET}; ` +
  `${pureboot} cat look.iso /platform/i86pc/boot_archive >look.gz; gzip -dc <look.gz >look.ufs`;

/** The cases by name; commands that speak of another tree than the case's are made when they are wanted. */
const CASES: Readonly<Record<string, (treeOf: (name: TreeName) => string) => Omit<Case, "name">>> = {
  iso: () => ({
    what: "tree to bootable ISO, nothing known from earlier builds",
    tree: "proto",
    contenders: [
      { name: "pureboot", command: build("--no-cache") },
      withPigz(0.5),
      {
        name: "makefs + gzip -6 + xorriso",
        command: peerImage("gzip -6"),
        needs: ["makefs", "gzip", "xorriso"],
      },
    ],
  }),
  pako: () => ({
    what: "the same without zlib",
    tree: "proto",
    contenders: [{ name: "pureboot --gzip pako", command: build("--no-cache --gzip pako") }, withPigz(1)],
  }),
  deflate: () => ({
    what: "the ISO against the deflate time alone, on all processors",
    tree: "proto",
    prepare: raw,
    contenders: [
      { name: "pureboot", command: build("--no-cache") },
      { name: "deflate alone", command: `${script("./deflate-bound.js")} own.ufs`, most: 1.15 },
    ],
  }),
  rebuild: (treeOf) => ({
    what: "a rebuild after one file changed, against a first build that fills the cache",
    tree: "proto",
    prepare: `${build("--cache cache")}`,
    contenders: [
      {
        name: "one file changed",
        command: `head -c 33000 /dev/urandom >changed; ${build(`--cache cache --add '${someFile(treeOf("proto"))}=changed'`)}`,
      },
      { name: "first build", command: `rm -rf first; ${build("--cache first")}`, most: 0.25 },
    ],
  }),
  ufs: () => ({
    what: "tree to raw UFS (with SHA-1 and SHA-256)",
    tree: "proto",
    contenders: [
      { name: "pureboot", command: raw },
      makefs,
      {
        name: "makefs, sha1sum, sha256sum",
        command:
          'makefs -t ffs peer.ufs "$TREE" >/dev/null; sha1sum peer.ufs >/dev/null; sha256sum peer.ufs >/dev/null',
        needs: ["makefs"],
      },
    ],
  }),
  small: () => ({
    what: "100,000 small files to raw UFS",
    tree: "small",
    // Without room of its own makefs counts too few blocks for that many tails, and breaks off.
    contenders: [
      { name: "pureboot", command: raw },
      { ...makefs, command: 'makefs -t ffs -b 10% peer.ufs "$TREE" >/dev/null' },
    ],
  }),
  large: () => ({
    what: "one file of 2 GiB to an ISO",
    tree: "large",
    contenders: [
      { name: "pureboot", command: build("--no-cache") },
      // makefs writes no image of 2 GiB and more: its offsets overflow.
      {
        name: "the file without a file system, pigz -6 + xorriso",
        command: peerMedium("pigz -6", '"$TREE/large"'),
        needs: ["pigz", "xorriso"],
      },
    ],
  }),
  scaling: (treeOf) => ({
    what: "four times the tree, against once (to take at most 4.4 times as long)",
    tree: "quadruple",
    contenders: [
      { name: "pureboot, four times", command: build("--no-cache") },
      {
        name: "pureboot, once",
        command: `TREE='${treeOf("proto")}'; ${build("--no-cache")}`,
        most: 4.4,
      },
    ],
  }),
  tar: () => ({
    what: "raw UFS of a tar of the tree, against the tree itself",
    tree: "proto",
    prepare: TARRED,
    contenders: [
      { name: "pureboot, tar", command: rawOf("proto.tar") },
      { name: "pureboot, directory", command: raw, most: 1.2 },
    ],
  }),
  "tar-gz": () => ({
    what: "raw UFS of a tar.gz, against unpacking that first",
    tree: "proto",
    prepare: `${TARRED}; gzip -kf proto.tar`,
    contenders: [
      { name: "pureboot, tar.gz", command: rawOf("proto.tar.gz") },
      { name: "gzip -d, pureboot, tar", command: `gzip -dc proto.tar.gz >plain.tar; ${rawOf("plain.tar")}`, most: 1.5 },
    ],
  }),
  manifests: () => ({
    what: "planning with 600 manifests, and without (to take at most 1.5 s more)",
    tree: "proto",
    prepare: `test -d gate || ${script("../fixtures/write-manifests.js")} "$TREE" gate >/dev/null`,
    contenders: [
      { name: "600 manifests", command: rawOf('"$TREE"', "--dry-run --manifests gate/manifests") },
      { name: "none", command: rawOf('"$TREE"', "--dry-run") },
    ],
  }),
  "plain-iso": () => ({
    what: "tree to ISO 9660, no archive",
    tree: "proto",
    contenders: [
      { name: "pureboot", command: `${pureboot} mkisofs -quiet -R -o own.iso "$TREE" >/dev/null` },
      {
        name: "xorriso",
        command: `rm -f peer.iso; xorriso -as mkisofs -quiet -R -o peer.iso "$TREE" >/dev/null 2>&1`,
        needs: ["xorriso"],
        most: 1,
      },
      {
        name: "genisoimage",
        command: `genisoimage -quiet -R -o peer.iso "$TREE" >/dev/null 2>&1`,
        needs: ["genisoimage"],
        most: 1,
      },
    ],
  }),
  help: () => ({
    what: "pureboot --help",
    tree: "guard",
    contenders: [
      { name: "pureboot", command: `${pureboot} --help >/dev/null` },
      { name: "node -e 0", command: "node -e 0", most: 2.5 },
    ],
  }),
  "ls-archive": () => ({
    what: "a listing of all in the archive of an ISO",
    tree: "proto",
    prepare: LOOKED_AT,
    contenders: [
      { name: "pureboot ls -aR", command: `${pureboot} ls -aR --progress quiet look.iso >/dev/null` },
      { name: "gzip -dc of the archive", command: "gzip -dc <look.gz >/dev/null", needs: ["gzip"], most: 1.2 },
    ],
  }),
  "ls-ramdisk": () => ({
    what: "a listing of all in a raw ramdisk (to take at most 0.5 s), beside one of the directory it was made of",
    tree: "proto",
    prepare: LOOKED_AT,
    contenders: [
      { name: "pureboot ls -R", command: `${pureboot} ls -R look.ufs >/dev/null` },
      { name: "pureboot ls -lR", command: `${pureboot} ls -lR look.ufs >/dev/null` },
      { name: "ls -lR of the tree", command: `ls -lR "$TREE" >/dev/null` },
    ],
  }),
  verify: () => ({
    what: "all of an ISO (to take at most 3 s more than gunzip and sha1sum together)",
    tree: "proto",
    prepare: LOOKED_AT,
    contenders: [
      // Findings end it with status 3: this ISO has no boot loader.
      { name: "pureboot verify", command: `${pureboot} verify --progress quiet look.iso >/dev/null || test $? = 3` },
      { name: "gzip -dc, then sha1sum", command: "gzip -dc <look.gz >/dev/null; sha1sum look.ufs >/dev/null" },
    ],
  }),
};

/** @param only names of cases; default: all */
export function cases(treeOf: (name: TreeName) => string, only: readonly string[] = Object.keys(CASES)): Case[] {
  return only.map((name) => {
    const define = CASES[name];
    if (define === undefined) throw new Error(`${name}: no such case; there are ${Object.keys(CASES).join(", ")}`);
    return { name, ...define(treeOf) };
  });
}
