// fsck phase 3b (pass3b.c): what ACL inodes hold, and who points to them.

import { readAll } from "../bytes/index.ts";
import { ACL_DEFAULT, CLASS_OBJ, GROUP, GROUP_OBJ, OTHER_OBJ, scanAcl, USER, USER_OBJ } from "./acl.ts";
import { BAD, type CheckState, DIRECTORY, isMarked, kindOf, SHADOW } from "./check-state.ts";
import { addressesOf, fileContent } from "./file-content.ts";
import { FSD_ACL, FSD_DFACL, FSD_FREE, FSD_RESERVED3, FSD_RESERVED7, ufsAcl } from "./format.ts";

const MAX_ACL_ENTRIES = 1024;
/** Entries of owner, group, others and mask, for access and default; doubled, because each may have its own record. */
const MAX_ACL_BYTES: number = 2 * ufsAcl.sizeBytes * (4 * MAX_ACL_ENTRIES + 8);

/** Phase 3b. */
export async function checkAcls(state: CheckState): Promise<void> {
  const { report } = state;
  for (const { inode, dinode } of state.shadows) {
    if (isMarked(state, inode, BAD)) continue;
    if (dinode.ic_lsize > MAX_ACL_BYTES) {
      const message = `ACL I=${inode} is excessively large (${dinode.ic_lsize} > ${MAX_ACL_BYTES})`;
      report("3b", "acl-size", "error", message, { inode });
      continue;
    }
    const content = await fileContent(state.volume, addressesOf(state.volume), dinode, "?");
    const fault = aclFault(state, inode, await readAll(content, MAX_ACL_BYTES));
    if (fault) report("3b", "acl", "error", `${fault} ACL I=${inode} BAD/CORRUPT`.trim(), { inode });
  }
  for (const [shadow, clients] of state.shadowClients) {
    if (kindOf(state, shadow) === SHADOW) continue;
    for (const inode of clients) {
      const message = `I=${inode} HAS BAD/CLEARED ACL I=${shadow}`;
      report("3b", "acl-reference", "error", message, { inode, field: "ic_shadow" });
    }
  }
}

/** What is wrong with an ACL: the beginning of a message, or undefined. */
function aclFault(state: CheckState, inode: number, bytes: Uint8Array): string | undefined {
  const counts = new Map<number, number>();
  let hasAcl = false;
  for (const { fsd_type, fsd_size, isWhole, entries } of scanAcl(bytes)) {
    if (!isWhole) return `Bad FSD entry size ${fsd_size} in shadow inode ${inode}.`;
    if (fsd_type === FSD_FREE) continue;
    if (fsd_type !== FSD_ACL && fsd_type !== FSD_DFACL) {
      const kind = fsd_type >= FSD_RESERVED3 && fsd_type <= FSD_RESERVED7 ? "Unexpected" : "Unknown";
      return `${kind} FSD type ${fsd_type} in shadow inode ${inode}.`;
    }
    hasAcl ||= entries.length > 0;
    for (const { acl_tag, acl_perm } of entries) {
      const kind = acl_tag & ~ACL_DEFAULT;
      if (![USER_OBJ, USER, GROUP_OBJ, GROUP, CLASS_OBJ, OTHER_OBJ].includes(kind)) return `Unknown tag ${acl_tag}.`;
      if (acl_perm > 7) return `Bad permission 0${acl_perm.toString(8)} in ACL.`;
      counts.set(acl_tag, (counts.get(acl_tag) ?? 0) + 1);
    }
  }
  if (!hasAcl) return undefined;
  const count = (tag: number): number => counts.get(tag) ?? 0;
  const inherited = (tag: number): number => count(ACL_DEFAULT | tag);
  const owners = [USER_OBJ, GROUP_OBJ, OTHER_OBJ];
  if (owners.some((tag) => count(tag) !== 1) || count(CLASS_OBJ) > 1) return "Not one each of owner, group and other.";
  if (count(GROUP) > 0 && count(CLASS_OBJ) === 0) return "Groups without a mask.";
  if ([...owners, CLASS_OBJ].some((tag) => inherited(tag) > 1)) return "More than one default of a kind.";
  const defaults = owners.reduce((sum, tag) => sum + inherited(tag), 0);
  if (defaults !== 0 && defaults !== 3) return "Not all of the defaults.";
  if (defaults > 0) {
    const clients = state.shadowClients.get(inode) ?? [];
    if (clients.length === 0 || clients.some((client) => kindOf(state, client) !== DIRECTORY)) {
      return "Defaults for what is no directory.";
    }
  }
  if (inherited(GROUP) > 0 && inherited(CLASS_OBJ) === 0) return "Default groups without a mask.";
  if (inherited(USER) > 0 && defaults !== 3 && inherited(CLASS_OBJ) === 0) return "Default users without the defaults.";
  return undefined;
}
