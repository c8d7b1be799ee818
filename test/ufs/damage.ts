// A gallery of damaged images: a good one with everything in it, and single fields of it changed, by way of the declared
// structures. Each damage says what the check must find.

import { bytesOf, type Fields, type Struct, type ValuesOf } from "../../src/bytes/index.ts";
import { layoutBytes } from "../../src/layout/index.ts";
import { type Directory, device, file, special, symlink, treeOf } from "../../src/tree/index.ts";
import { ACL_DEFAULT, CLASS_OBJ, GROUP_OBJ, OTHER_OBJ, USER, USER_OBJ } from "../../src/ufs/acl.ts";
import { cgOffsets } from "../../src/ufs/cylinder-group.ts";
import {
  cg,
  csum,
  dinode,
  direct,
  FSD_ACL,
  FSD_DFACL,
  fs,
  IFATTRDIR,
  IFSHAD,
  IXATTR,
  SBOFF,
  ufsAcl,
  ufsFsd,
} from "../../src/ufs/format.ts";
import { planUfs } from "../../src/ufs/plan.ts";
import { cgsblock, cgtod, inodeOffset, type Superblock } from "../../src/ufs/superblock.ts";
import { ATTRIBUTES, DIRECTORY, patternContent } from "./trees.ts";

const LINK = { ...ATTRIBUTES, mode: 0o777 };

/** Bytes of an ACL inode: owner, a user, group, mask and others; and for a directory the same as defaults. */
export const ACL_BYTES: Uint8Array<ArrayBuffer> = aclBytes();

function aclBytes(): Uint8Array<ArrayBuffer> {
  const tags = [USER_OBJ, USER, GROUP_OBJ, CLASS_OBJ, OTHER_OBJ];
  const recordBytes = ufsFsd.sizeBytes + tags.length * ufsAcl.sizeBytes;
  const bytes = new Uint8Array(2 * recordBytes);
  [FSD_ACL, FSD_DFACL].forEach((fsd_type, record) => {
    const at = record * recordBytes;
    ufsFsd.encode({ fsd_type, fsd_size: recordBytes }, bytes, at);
    tags.forEach((tag, i) => {
      const acl_tag = fsd_type === FSD_ACL ? tag : ACL_DEFAULT | tag;
      const entry = { acl_tag, acl_perm: 5, acl_who: tag === USER ? 101 : 0 };
      ufsAcl.encode(entry, bytes, at + ufsFsd.sizeBytes + i * ufsAcl.sizeBytes);
    });
  });
  return bytes;
}

function sampleTree(): Directory {
  const linked = file(ATTRIBUTES, patternContent(1500, 4));
  return treeOf(
    [
      [
        "/acl",
        file(ATTRIBUTES, {
          sizeBytes: ACL_BYTES.length,
          read: async (t, o) => t.set(ACL_BYTES.subarray(o, o + t.length)),
        }),
      ],
      ["/attributes/colour", file(ATTRIBUTES, patternContent(10, 1))],
      ["/big", file(ATTRIBUTES, patternContent(200_000, 2))],
      ["/d1/d2/deep", file(ATTRIBUTES, patternContent(3000, 3))],
      ["/d1/other", file(ATTRIBUTES, patternContent(9000, 3))],
      ["/dev", device(ATTRIBUTES, "character", 13, 2)],
      ["/empty", file(ATTRIBUTES, patternContent(0, 0))],
      ["/fifo", special(ATTRIBUTES, "fifo")],
      ["/link", symlink(LINK, "d1/d2/deep")],
      ["/one", linked],
      ["/two", linked],
    ],
    DIRECTORY,
  );
}

/** An image, where its parts are, and how to change them. */
export interface Sample {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly sb: Superblock;
  inodeOf(path: string): number;
  /** Byte offset of an inode. */
  inodeAt(path: string): number;
  inode(path: string): ValuesOf<typeof dinode.fields>;
  setInode(path: string, values: Partial<ValuesOf<typeof dinode.fields>>): void;
  /** Byte offset of the entry `name` of a directory. */
  entryAt(directory: string, name: string): number;
  groupAt(group: number): number;
}

function sampleOf(bytes: Uint8Array<ArrayBuffer>, inodeOf: (path: string) => number | undefined): Sample {
  const sb = fs.decode(bytes, SBOFF);
  const mustFind = (path: string): number => {
    const inode = inodeOf(path);
    if (inode === undefined) throw new Error(`no ${path}`);
    return inode;
  };
  const inodeAt = (path: string): number => inodeOffset(sb, mustFind(path));
  const inode = (path: string) => dinode.decode(bytes, inodeAt(path));
  return {
    bytes,
    sb,
    inodeOf: mustFind,
    inodeAt,
    inode,
    setInode: (path, values) => dinode.patch(values, bytes, inodeAt(path)),
    entryAt(directory, name) {
      const start = (inode(directory).ic_db[0] ?? 0) * sb.fs_fsize;
      const wanted = bytesOf(name);
      for (let at = start; ; at += direct.decode(bytes, at).d_reclen) {
        const { d_ino, d_namlen, d_reclen } = direct.decode(bytes, at);
        const stored = bytes.subarray(at + direct.sizeBytes, at + direct.sizeBytes + d_namlen);
        if (d_ino !== 0 && Buffer.compare(stored, wanted) === 0) return at;
        if (d_reclen === 0) throw new Error(`no ${name}`);
      }
    },
    groupAt: (group) => cgtod(sb, group) * sb.fs_fsize,
  };
}

/** A good image of 6 MiB with three groups, an ACL and a directory of attributes. */
export async function goodSample(): Promise<() => Sample> {
  const newfs = { imageBytes: 6 * 2 ** 20, cpg: 8, nbpi: 4096 };
  const plan = planUfs(sampleTree(), { geometry: { newfs }, timeSeconds: 1_000_000_000 });
  const good = await layoutBytes(plan.layout);
  addExtras(sampleOf(good, plan.inodeOf));
  return () => sampleOf(good.slice(), plan.inodeOf);
}

/** Makes /acl the ACL of /d1 and /attributes the attributes of /one: neither has a name then. */
function addExtras(sample: Sample): void {
  const { bytes, inodeOf, setInode } = sample;
  for (const name of ["acl", "attributes"]) {
    const at = sample.entryAt("/", name);
    const before = previousEntry(sample, at);
    const { d_reclen } = direct.decode(bytes, at);
    direct.patch({ d_reclen: direct.decode(bytes, before).d_reclen + d_reclen }, bytes, before);
    bytes.fill(0, at, at + d_reclen);
  }
  setInode("/acl", { ic_smode: IFSHAD | 0o600, ic_nlink: 1 });
  setInode("/d1", { ic_shadow: inodeOf("/acl") });
  setInode("/", { ic_nlink: sample.inode("/").ic_nlink - 1 });
  setInode("/attributes", { ic_smode: IFATTRDIR | 0o755, ic_flags: IXATTR });
  setInode("/attributes/colour", { ic_flags: IXATTR });
  setInode("/one", { ic_oeftflag: inodeOf("/attributes") });
  direct.patch({ d_ino: inodeOf("/one") }, bytes, sample.entryAt("/attributes", ".."));
}

function previousEntry(sample: Sample, wanted: number): number {
  let at = (sample.inode("/").ic_db[0] ?? 0) * sample.sb.fs_fsize;
  for (let next = at; next < wanted; next += direct.decode(sample.bytes, next).d_reclen) at = next;
  return at;
}

export interface Expected {
  readonly code: string;
  readonly field?: string;
  readonly group?: number;
  /** The inode's path. */
  readonly path?: string;
}

export interface Damage {
  readonly name: string;
  damage(sample: Sample): void;
  readonly expected: readonly Expected[];
}

function set<F extends Fields>(
  declared: Struct<F>,
  field: keyof F & string,
  change: (value: number) => number,
  at: number,
) {
  return ({ bytes }: Sample): void => {
    const value = declared.decode(bytes, at)[field] as number;
    declared.patch({ [field]: change(value) } as Partial<ValuesOf<F>>, bytes, at);
  };
}

const more = (value: number): number => value + 1;

/** What is said of a field of the first superblock that is one more than it should be: nothing, or a code of its own. */
const SUPERBLOCK_FIELDS: Readonly<Record<string, string | undefined>> = {
  // fields that a running system may change, and that mean nothing here
  fs_link: undefined,
  fs_rolled: undefined,
  fs_cgrotor: undefined,
  fs_fmod: undefined,
  fs_ronly: undefined,
  fs_maxcontig: undefined,
  fs_minfree: undefined,
  fs_optim: undefined,
  fs_rotdelay: undefined,
  fs_maxbpg: undefined,
  fs_si: undefined,
  // fields that something else must agree with
  fs_time: "state",
  fs_state: "state",
  fs_clean: undefined, // 1 to 2: clean to stable
  fs_flags: "largefiles",
  fs_reclaim: "reclaim",
  fs_logbno: "log",
  fs_fsbtodb: "derived",
  fs_npsect: "derived",
  fs_cstotal_ndir: "global-summary",
  fs_cstotal_nbfree: "global-summary",
  fs_cstotal_nifree: "global-summary",
  fs_cstotal_nffree: "global-summary",
  fs_magic: "bad-format",
  fs_nrpos: "cg-header",
};

function superblockDamages(): Damage[] {
  return Object.entries(fs.fields)
    .filter(([, { type }]) => typeof type.zero === "number")
    .map(([field]) => {
      const code = field in SUPERBLOCK_FIELDS ? SUPERBLOCK_FIELDS[field] : "superblock";
      return {
        name: `${field} + 1`,
        damage: set(fs, field as keyof typeof fs.fields, more, SBOFF),
        expected:
          code === undefined ? [] : code === "cg-header" ? [0, 1, 2].map((group) => ({ code, group })) : [{ code }],
      };
    });
}

const CG_FIELDS: Readonly<Record<string, string | undefined>> = {
  cg_link: "padding",
  cg_time: undefined,
  cg_rotor: undefined,
  cg_frotor: undefined,
  cg_irotor: undefined,
  cg_cs_ndir: "cg-cs",
  cg_cs_nbfree: "cg-cs",
  cg_cs_nifree: "cg-cs",
  cg_cs_nffree: "cg-cs",
};

function groupDamages(): Damage[] {
  return Object.entries(cg.fields)
    .filter(([, { type }]) => typeof type.zero === "number")
    .map(([field]) => {
      const code = field in CG_FIELDS ? CG_FIELDS[field] : "cg-header";
      return {
        name: `${field} + 1 in group 1`,
        damage: (sample: Sample) => set(cg, field as keyof typeof cg.fields, more, sample.groupAt(1))(sample),
        expected: code === undefined ? [] : [{ code, group: 1 }],
      };
    });
}

function rotorDamages(): Damage[] {
  return (["cg_rotor", "cg_frotor", "cg_irotor"] as const).flatMap((field) =>
    [-1, 1_000_000].map((value) => ({
      name: `${field} ${value}`,
      damage: (sample: Sample) => cg.patch({ [field]: value }, sample.bytes, sample.groupAt(0)),
      expected: [{ code: "cg-header", field, group: 0 }],
    })),
  );
}

function summaryDamages(): Damage[] {
  return (Object.keys(csum.fields) as (keyof typeof csum.fields)[]).map((field) => ({
    name: `${field} + 1 in the summary array`,
    damage: (sample) => set(csum, field, more, sample.sb.fs_csaddr * sample.sb.fs_fsize + csum.sizeBytes)(sample),
    expected: [{ code: "csum", group: 1 }],
  }));
}

/** What a block that its inode lost leaves behind. */
const lost: Expected = { code: "frag-map" };

const inodeDamage = (
  path: string,
  field: keyof typeof dinode.fields & string,
  change: (value: number) => number,
  ...expected: Expected[]
): Damage => ({
  name: `${field} of ${path}: ${change}`,
  damage: (sample) => set(dinode, field, change, sample.inodeAt(path))(sample),
  expected: expected.map((one) => (one === lost ? one : { path, ...one })),
});

const address = (
  path: string,
  index: number,
  change: (frag: number, sample: Sample) => number,
  ...expected: Expected[]
): Damage => ({
  name: `address ${index} of ${path}: ${change}`,
  damage(sample) {
    const { ic_db, ic_ib } = sample.inode(path);
    const all = [...ic_db, ...ic_ib];
    all[index] = change(all[index] ?? 0, sample);
    sample.setInode(path, { ic_db: all.slice(0, 12), ic_ib: all.slice(12) });
  },
  expected,
});

const inodeDamages: readonly Damage[] = [
  inodeDamage("/big", "ic_smode", () => 0, { code: "partially-allocated" }),
  inodeDamage("/empty", "ic_smode", (mode) => (mode & 0o7777) | 0o170000, { code: "mode" }),
  inodeDamage("/empty", "ic_smode", (mode) => (mode & 0o7777) | 0o030000, { code: "mode" }),
  inodeDamage("/empty", "ic_nlink", more, { code: "link-count" }),
  inodeDamage("/one", "ic_nlink", (n) => n - 1, { code: "link-count" }),
  inodeDamage("/one", "ic_nlink", () => 0, { code: "link-count" }),
  inodeDamage("/one", "ic_nlink", () => -1, { code: "link-count" }),
  inodeDamage("/d1", "ic_nlink", more, { code: "link-count" }),
  inodeDamage("/", "ic_nlink", more, { code: "link-count" }),
  inodeDamage("/one", "ic_suid", () => 7, { code: "ids", field: "ic_suid" }),
  inodeDamage("/one", "ic_gid", () => 7, { code: "ids", field: "ic_sgid" }),
  inodeDamage("/empty", "ic_lsize", () => 2 ** 40, { code: "size" }),
  inodeDamage("/one", "ic_lsize", () => 10, { code: "block-count" }, lost),
  inodeDamage("/dev", "ic_lsize", () => 1, { code: "device-size" }),
  inodeDamage("/one", "ic_blocks", more, { code: "block-count" }),
  inodeDamage("/fifo", "ic_blocks", more, { code: "block-count" }),
  inodeDamage("/one", "ic_shadow", () => 1, { code: "acl-reference" }),
  inodeDamage("/one", "ic_shadow", () => 10_000_000, { code: "acl-reference" }),
  inodeDamage("/link", "ic_shadow", () => 4, { code: "acl-reference" }),
  inodeDamage("/dev", "ic_shadow", () => 1, { code: "acl-reference" }),
  inodeDamage("/dev", "ic_blocks", more, { code: "block-count" }),
  inodeDamage("/dev", "ic_oeftflag", () => 2, { code: "attribute-reference" }),
  inodeDamage("/empty", "ic_oeftflag", () => 2, { code: "attribute-reference" }),
  inodeDamage("/empty", "ic_oeftflag", () => 4_000_000_000, { code: "attribute-reference" }),
  inodeDamage("/empty", "ic_oeftflag", () => 8, { code: "attribute-reference" }),
  inodeDamage("/empty", "ic_flags", (flags) => flags | IXATTR, { code: "ixattr" }),
  inodeDamage("/d1/d2", "ic_flags", (flags) => flags | IXATTR, { code: "ixattr" }),
  inodeDamage("/", "ic_flags", (flags) => flags | IXATTR, { code: "ixattr" }),
  inodeDamage("/d1", "ic_lsize", more, { code: "directory-size" }, { code: "directory-corrupted" }),
  inodeDamage("/d1", "ic_lsize", (size) => size + 512, { code: "directory-corrupted" }),
  inodeDamage("/link", "ic_lsize", () => 1025, { code: "symlink-length" }, lost),
  inodeDamage("/link", "ic_lsize", () => 3, { code: "symlink-end" }),
];

const addressDamages: readonly Damage[] = [
  address("/dev", 0, () => 5, { code: "device-addresses", path: "/dev" }),
  address("/dev", 14, () => 5, { code: "device-addresses", path: "/dev" }),
  address("/one", 0, () => 1_000_000, { code: "out-of-range", path: "/one" }, lost),
  address("/one", 0, () => -5, { code: "out-of-range", path: "/one" }, lost),
  address("/one", 0, () => 1, { code: "dup", path: "/one" }, lost),
  address("/one", 0, (_, { sb }) => cgtod(sb, 1), { code: "out-of-range", path: "/one" }, lost),
  address("/one", 0, (_, sample) => sample.inode("/d1/other").ic_db[0] ?? 0, dup("/one"), dup("/d1/other"), lost),
  address("/one", 0, () => 0, { code: "block-count", path: "/one" }, lost),
  address("/one", 3, (_, { sb }) => 2 * sb.fs_fpg - sb.fs_frag, { code: "past-end" }, { code: "block-count" }, lost),
  address("/one", 12, (_, { sb }) => 2 * sb.fs_fpg - sb.fs_frag, { code: "past-end" }, { code: "block-count" }, lost),
  address("/big", 12, () => 0, { code: "block-count", path: "/big" }, lost),
  address("/big", 12, () => 1_000_000, { code: "out-of-range" }, { code: "block-count" }, lost),
  address(
    "/d1",
    0,
    () => 0,
    hole("/d1"),
    { code: "block-count" },
    lost,
    unref("/d1/other"),
    unref("/d1/d2"),
    {
      code: "dotdot",
    },
    { code: "link-count", path: "/d1" },
  ),
  address("/acl", 0, () => 0, { code: "acl" }, { code: "block-count" }, lost),
];

function dup(path: string): Expected {
  return { code: "dup", path };
}
function hole(path: string): Expected {
  return { code: "directory-hole", path };
}
function unref(path: string): Expected {
  return { code: path === "/d1/d2" ? "unref-directory" : "unref" };
}

const entryDamage = (
  directory: string,
  name: string,
  field: keyof typeof direct.fields & string,
  change: (value: number, sample: Sample) => number,
  ...expected: Expected[]
): Damage => ({
  name: `${field} of ${name} in ${directory}: ${change}`,
  damage(sample) {
    set(direct, field, (value) => change(value, sample), sample.entryAt(directory, name))(sample);
  },
  expected,
});

const rename = (directory: string, name: string, to: string, ...expected: Expected[]): Damage => ({
  name: `${name} in ${directory} becomes "${to}"`,
  damage({ bytes, entryAt }) {
    const at = entryAt(directory, name);
    bytes.set(bytesOf(to.padEnd(name.length, "\0")), at + direct.sizeBytes);
    direct.patch({ d_namlen: to.length }, bytes, at);
  },
  expected,
});

const corrupted = (directory: string, ...others: Expected[]): Expected[] => [
  { code: "directory-corrupted", path: directory },
  ...others,
];

const entryDamages: readonly Damage[] = [
  entryDamage("/", "empty", "d_ino", () => 900, { code: "unallocated", path: "/empty" }, { code: "unref" }),
  entryDamage("/", "empty", "d_ino", () => 1, { code: "unallocated" }, { code: "unref" }),
  entryDamage(
    "/",
    "empty",
    "d_ino",
    (_, s) => s.inodeOf("/fifo"),
    { code: "unref" },
    { code: "link-count", path: "/empty" },
  ),
  entryDamage("/", "empty", "d_ino", (_, s) => s.inodeOf("/acl"), { code: "acl-in-directory" }, { code: "unref" }),
  entryDamage("/", "empty", "d_ino", (_, s) => s.inodeOf("/d1/d2"), { code: "directory-hard-link" }, { code: "unref" }),
  entryDamage("/", "empty", "d_ino", () => 0, { code: "unref" }),
  entryDamage("/d1", "other", "d_ino", () => 10_000_000, ...corrupted("/d1", unref("/d1/other"))),
  entryDamage("/d1", "other", "d_reclen", () => 8, ...corrupted("/d1", unref("/d1/other"))),
  entryDamage("/d1", "other", "d_reclen", (n) => n + 4, ...corrupted("/d1", unref("/d1/other"))),
  entryDamage("/d1", "other", "d_reclen", (n) => n - 2, ...corrupted("/d1", unref("/d1/other"))),
  entryDamage("/d1", "other", "d_namlen", () => 400, ...corrupted("/d1", unref("/d1/other"))),
  entryDamage("/d1", "other", "d_namlen", (n) => n - 1, ...corrupted("/d1", unref("/d1/other"))),
  rename("/d1", "other", "ot/er", ...corrupted("/d1", unref("/d1/other"))),
  rename("/d1", "other", ".", { code: "extra-dot", path: "/d1" }, { code: "unref" }),
  rename("/d1", "other", "..", { code: "extra-dot", path: "/d1" }, { code: "unref" }),
  entryDamage("/d1", ".", "d_ino", () => 2, { code: "dot", path: "/d1" }),
  entryDamage("/d1", ".", "d_ino", () => 0, { code: "dot", path: "/d1" }),
  entryDamage("/d1", "..", "d_ino", () => 3, { code: "dotdot", path: "/d1" }),
  entryDamage("/d1", "..", "d_ino", () => 0, { code: "dotdot", path: "/d1" }),
  entryDamage("/", "..", "d_ino", () => 3, { code: "dotdot", path: "/" }),
  entryDamage("/attributes", "..", "d_ino", () => 2, { code: "dotdot" }),
  entryDamage("/", "d1", "d_ino", () => 0, { code: "unref-directory" }),
  {
    name: "directories below each other",
    damage(sample) {
      direct.patch({ d_ino: 0 }, sample.bytes, sample.entryAt("/", "d1"));
      direct.patch({ d_ino: sample.inodeOf("/d1") }, sample.bytes, sample.entryAt("/d1/d2", "deep"));
      direct.patch({ d_ino: sample.inodeOf("/d1/d2") }, sample.bytes, sample.entryAt("/d1", ".."));
    },
    expected: [{ code: "orphan-loop" }, { code: "unref" }, { code: "link-count" }],
  },
];

const byteDamage = (name: string, at: (sample: Sample) => number, ...expected: Expected[]): Damage => ({
  name,
  damage(sample) {
    const offset = at(sample);
    sample.bytes[offset] = (sample.bytes[offset] ?? 0) ^ 1;
  },
  expected,
});

const inGroup = (group: number, offset: (sample: Sample) => number) => (sample: Sample) =>
  sample.groupAt(group) + offset(sample);

const mapDamages: readonly Damage[] = [
  byteDamage(
    "a free inode marked used",
    inGroup(2, ({ sb }) => cgOffsets(sb).cg_iusedoff + 3),
    { code: "inode-map", group: 2 },
  ),
  byteDamage(
    "inode 0 marked free",
    inGroup(0, ({ sb }) => cgOffsets(sb).cg_iusedoff),
    { code: "inode-map", group: 0 },
  ),
  byteDamage(
    "a free frag marked used",
    inGroup(2, ({ sb }) => cgOffsets(sb).cg_nextfreeoff - 40),
    { code: "frag-map", group: 2 },
  ),
  byteDamage(
    "metadata marked free",
    inGroup(1, ({ sb }) => cgOffsets(sb).cg_freeoff + 3),
    { code: "frag-map", group: 1 },
  ),
  byteDamage(
    "blocks by position",
    inGroup(1, ({ sb }) => cgOffsets(sb).cg_boff + 20),
    { code: "cg-b", group: 1 },
  ),
  byteDamage(
    "blocks by cylinder",
    inGroup(1, ({ sb }) => cgOffsets(sb).cg_btotoff + 4),
    { code: "cg-btot", group: 1 },
  ),
  byteDamage(
    "cg_frsum",
    inGroup(1, () => cg.fields.cg_frsum.offset + 8),
    { code: "cg-frsum", group: 1 },
  ),
  byteDamage(
    "cg_frsum[0]",
    inGroup(1, () => cg.fields.cg_frsum.offset),
    { code: "cg-frsum", group: 1 },
  ),
  byteDamage(
    "cg_sparecon",
    inGroup(1, () => cg.fields.cg_sparecon.offset + 9),
    { code: "padding", group: 1 },
  ),
  byteDamage(
    "after the maps",
    inGroup(1, ({ sb }) => sb.fs_bsize - 1),
    { code: "padding", group: 1 },
  ),
  byteDamage("fs_sparecon", () => SBOFF + fs.fields.fs_sparecon.offset + 5, { code: "superblock" }),
  byteDamage("fs_opostbl", () => SBOFF + fs.fields.fs_opostbl.offset, { code: "superblock" }),
  byteDamage("after the superblock", () => SBOFF + 5000, { code: "rotational-tables" }),
  byteDamage("after the summary array", ({ sb }) => sb.fs_csaddr * sb.fs_fsize + 900, { code: "padding" }),
  byteDamage("the first superblock copy", ({ sb }) => cgsblock(sb, 0) * sb.fs_fsize + fs.fields.fs_bsize.offset, {
    code: "superblock-copy",
    group: 0,
  }),
  byteDamage("the middle superblock copy", ({ sb }) => cgsblock(sb, 1) * sb.fs_fsize + fs.fields.fs_ncg.offset, {
    code: "superblock-copy",
    group: 1,
  }),
  byteDamage("the last superblock copy", ({ sb }) => cgsblock(sb, 2) * sb.fs_fsize + fs.fields.fs_ncg.offset, {
    code: "superblock",
  }),
];

const at = (path: string, offset: number) => (sample: Sample) =>
  (sample.inode(path).ic_db[0] ?? 0) * sample.sb.fs_fsize + offset;

const aclDamages: readonly Damage[] = [
  byteDamage("type of an ACL record", at("/acl", ufsFsd.fields.fsd_type.offset + 1), { code: "acl" }),
  byteDamage("size of an ACL record", at("/acl", ufsFsd.fields.fsd_size.offset + 1), { code: "acl" }),
  byteDamage("tag of an ACL entry", at("/acl", ufsFsd.sizeBytes), { code: "acl" }),
  byteDamage("permissions of an ACL entry", at("/acl", ufsFsd.sizeBytes + ufsAcl.fields.acl_perm.offset + 1), {
    code: "acl",
  }),
  {
    name: "an ACL for two",
    damage: (sample) => sample.setInode("/one", { ic_shadow: sample.inodeOf("/acl") }),
    expected: [{ code: "acl" }, { code: "link-count" }],
  },
  {
    name: "an ACL that is a file",
    damage: (sample) => sample.setInode("/acl", { ic_smode: 0o100600 }),
    expected: [{ code: "acl-reference", path: "/d1" }],
  },
];

/** The block of addresses of /big, and its entries. */
const indirect = (
  index: number,
  change: (frag: number, sample: Sample) => number,
  ...expected: Expected[]
): Damage => ({
  name: `entry ${index} of /big's indirect block: ${change}`,
  damage(sample) {
    const offset = (sample.inode("/big").ic_ib[0] ?? 0) * sample.sb.fs_fsize + 4 * index;
    const view = new DataView(sample.bytes.buffer);
    view.setInt32(offset, change(view.getInt32(offset, true), sample), true);
  },
  expected,
});

const indirectDamages: readonly Damage[] = [
  indirect(0, () => 2_000_000_000, { code: "out-of-range", path: "/big" }, lost),
  indirect(0, () => 0, { code: "block-count", path: "/big" }, lost),
  indirect(1000, () => 5000, { code: "partially-truncated", path: "/big" }),
  indirect(0, (_, sample) => sample.inode("/big").ic_ib[0] ?? 0, dup("/big"), lost),
];

export const damages: readonly Damage[] = [
  ...superblockDamages(),
  ...groupDamages(),
  ...rotorDamages(),
  ...summaryDamages(),
  ...inodeDamages,
  ...addressDamages,
  ...entryDamages,
  ...mapDamages,
  ...aclDamages,
  ...indirectDamages,
];
