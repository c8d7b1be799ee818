// Access control lists: records in the data of a shadow inode, to which ic_shadow points (sys/fs/ufs_acl.h, sys/acl.h).

import { roundUp } from "../bytes/index.ts";
import { FSD_ACL, FSD_DFACL, ufsAcl, ufsFsd } from "./format.ts";

export const USER_OBJ = 0x01;
export const USER = 0x02;
export const GROUP_OBJ = 0x04;
export const GROUP = 0x08;
export const CLASS_OBJ = 0x10;
export const OTHER_OBJ = 0x20;
export const ACL_DEFAULT = 0x1000;

export type AclTag = "user" | "group" | "mask" | "other";

export interface AclEntry {
  readonly tag: AclTag;
  /** For the entries that name a user or group; undefined for those of the owner and the owning group. */
  readonly id?: number | undefined;
  /** 0..7: read 4, write 2, execute 1. */
  readonly permissions: number;
  /** Whether new files in the directory inherit it. */
  readonly isDefault: boolean;
}

const TAGS: ReadonlyMap<number, AclTag> = new Map([
  [USER_OBJ, "user"],
  [USER, "user"],
  [GROUP_OBJ, "group"],
  [GROUP, "group"],
  [CLASS_OBJ, "mask"],
  [OTHER_OBJ, "other"],
]);

export interface AclRecord {
  readonly fsd_type: number;
  /** As stored: may be nonsense, see `isWhole`. */
  readonly fsd_size: number;
  /** Whether the record lies within the data. */
  readonly isWhole: boolean;
  readonly entries: readonly { readonly acl_tag: number; readonly acl_perm: number; readonly acl_who: number }[];
}

/** The records in order; the first that does not lie within the data is the last. */
export function scanAcl(bytes: Uint8Array): AclRecord[] {
  const records: AclRecord[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (at + ufsFsd.sizeBytes > bytes.length) return [...records, broken(-1, bytes.length - at)];
    const { fsd_type, fsd_size } = ufsFsd.decode(bytes, at);
    // sizeof (struct ufs_fsd), with its first byte of data padded, is the least that fsck takes.
    const size = roundUp(Math.max(0, fsd_size), 4);
    if (size < ufsFsd.sizeBytes + 4 || at + size > bytes.length) return [...records, broken(fsd_type, fsd_size)];
    const isAcl = fsd_type === FSD_ACL || fsd_type === FSD_DFACL;
    const count = isAcl ? Math.floor((fsd_size - ufsFsd.sizeBytes) / ufsAcl.sizeBytes) : 0;
    const first = at + ufsFsd.sizeBytes;
    const entries = Array.from({ length: count }, (_, i) => ufsAcl.decode(bytes, first + i * ufsAcl.sizeBytes));
    records.push({ fsd_type, fsd_size, isWhole: true, entries });
    at += size;
  }
  return records;
}

function broken(fsd_type: number, fsd_size: number): AclRecord {
  return { fsd_type, fsd_size, isWhole: false, entries: [] };
}

/** The entries that mean something, in order. */
export function aclEntries(bytes: Uint8Array): AclEntry[] {
  return scanAcl(bytes)
    .flatMap(({ entries }) => entries)
    .flatMap(({ acl_tag, acl_perm, acl_who }) => {
      const kind = acl_tag & ~ACL_DEFAULT;
      const tag = TAGS.get(kind);
      if (tag === undefined) return [];
      const id = kind === USER || kind === GROUP ? acl_who : undefined;
      return [{ tag, id, permissions: acl_perm & 7, isDefault: (acl_tag & ACL_DEFAULT) !== 0 }];
    });
}
