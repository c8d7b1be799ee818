// Damage at random: single fields of the declared structures set to what a hostile hand would put there, blocks copied over
// others, bytes, and images that end early.

import fc from "fast-check";
import type { Fields, Struct } from "../../src/bytes/index.ts";
import { cg, csum, dinode, direct, fs, SBOFF } from "../../src/ufs/format.ts";
import { cgtod, inodeOffset } from "../../src/ufs/superblock.ts";
import type { Sample } from "./damage.ts";

/** Values that are on or beyond some border, and small ones, which are addresses and inodes that exist. */
const value: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(-1, 0, 1, 2, 3, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff),
  fc.constantFrom(2 ** 31, 2 ** 40 - 1, 2 ** 40, 2 ** 53 - 1),
  fc.integer({ min: 0, max: 30 }),
  fc.integer({ min: 0, max: 8000 }),
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
);

export interface FieldMutation {
  readonly kind: "field";
  readonly structure: "fs" | "copy" | "cg" | "csum" | "dinode" | "direct";
  /** Which structure of its kind, which field, which element of an array: taken modulo their number. */
  readonly which: number;
  readonly field: number;
  readonly index: number;
  readonly value: number;
}

export type Mutation =
  | FieldMutation
  | { readonly kind: "address"; readonly frag: number; readonly index: number; readonly value: number }
  | { readonly kind: "block"; readonly from: number; readonly to: number }
  | { readonly kind: "bytes"; readonly at: number; readonly bytes: readonly number[] };

const field = (structures: FieldMutation["structure"][]): fc.Arbitrary<Mutation> =>
  fc.record({
    kind: fc.constant("field" as const),
    structure: fc.constantFrom(...structures),
    which: fc.nat(40),
    field: fc.nat(100),
    index: fc.nat(15),
    value,
  });

export const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  { weight: 8, arbitrary: field(["cg", "csum", "dinode", "dinode", "dinode", "direct", "direct"]) },
  { weight: 1, arbitrary: field(["fs", "copy"]) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("address" as const), frag: fc.nat(6000), index: fc.nat(2047), value }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("block" as const), from: fc.nat(767), to: fc.nat(767) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("bytes" as const),
      at: fc.nat(6 * 2 ** 20 - 20),
      bytes: fc.array(fc.nat(255), { minLength: 1, maxLength: 20 }),
    }),
  },
);

/** Applies mutations in order. Where the structures lie is taken from the image as it was before. */
export function mutate(sample: Sample, mutations: readonly Mutation[]): Uint8Array<ArrayBuffer> {
  const { bytes, sb } = sample;
  const entries = Array.from({ length: 45 }, (_, which) => entryOffset(sample, which));
  for (const one of mutations) {
    switch (one.kind) {
      case "field":
        setField(sample, one, entries);
        break;
      case "address":
        new DataView(bytes.buffer).setInt32(
          (one.frag * sb.fs_fsize + 4 * one.index) % (bytes.length - 4),
          one.value,
          true,
        );
        break;
      case "block":
        bytes.copyWithin(one.to * sb.fs_bsize, one.from * sb.fs_bsize, (one.from + 1) * sb.fs_bsize);
        break;
      case "bytes":
        bytes.set(one.bytes, one.at);
    }
  }
  return bytes;
}

function setField(sample: Sample, one: FieldMutation, entries: readonly number[]): void {
  const { structure, which, field, index, value } = one;
  const { bytes, sb } = sample;
  switch (structure) {
    case "fs":
      set(fs, bytes, SBOFF, field, index, value);
      break;
    case "copy":
      set(fs, bytes, 16384, field, index, value);
      break;
    case "cg":
      set(cg, bytes, cgtod(sb, which % sb.fs_ncg) * sb.fs_fsize, field, index, value);
      break;
    case "csum":
      set(csum, bytes, sb.fs_csaddr * sb.fs_fsize + csum.sizeBytes * (which % sb.fs_ncg), field, index, value);
      break;
    case "dinode":
      set(dinode, bytes, inodeOffset(sb, 2 + (which % 18)), field, index, value);
      break;
    case "direct":
      set(direct, bytes, entries[which % entries.length] ?? 0, field, index, value);
  }
}

/** The offset of some entry of some directory. */
function entryOffset({ bytes, sb, inode }: Sample, which: number): number {
  const folder = ["/", "/d1", "/d1/d2", "/attributes", "/lost+found"][which % 5] ?? "/";
  let at = (inode(folder).ic_db[0] ?? 0) * sb.fs_fsize;
  for (let i = 0; i < Math.floor(which / 5); i++) {
    at += direct.decode(bytes, at).d_reclen;
  }
  return at;
}

function set<F extends Fields>(
  declared: Struct<F>,
  bytes: Uint8Array,
  offset: number,
  which: number,
  index: number,
  value: number,
): void {
  const fields = Object.values(declared.fields);
  const { offset: fieldOffset, type } = fields[which % fields.length] ?? { offset: 0, type: { sizeBytes: 4 } };
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const at = offset + fieldOffset;
  switch (type.sizeBytes) {
    case 1:
      view.setUint8(at, value);
      break;
    case 2:
      view.setUint16(at, value, true);
      break;
    case 8:
      view.setBigUint64(at, BigInt(value), true);
      break;
    default:
      view.setInt32(at + 4 * (index % Math.floor(type.sizeBytes / 4)), value, true);
  }
}
