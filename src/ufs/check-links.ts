// fsck phase 4 (pass4.c, dir.c adjust): links against names.

import { BAD, type CheckState, DIRECTORY, inodeText, isMarked, kindName, kindOf, UNALLOCATED } from "./check-state.ts";
import { UFSROOTINO } from "./format.ts";

/** Phase 4. */
export async function checkLinks(state: CheckState): Promise<void> {
  const { volume, report, inodes } = state;
  for (let inode = UFSROOTINO; inode < inodes; inode++) {
    const kind = kindOf(state, inode);
    const surplus = state.links[inode] ?? 0;
    const nlink = state.nlink[inode] ?? 0;
    if (kind === UNALLOCATED || isMarked(state, inode, BAD)) continue;
    if (kind === DIRECTORY && !state.directories.get(inode)?.isFound) continue; // phase 3a has said so
    if (surplus === 0 && nlink > 0) continue;
    const dinode = await volume.dinode(inode);
    const text = `${kindName(dinode.ic_smode)}  ${inodeText(inode, dinode)}`;
    if (surplus === nlink) {
      report("4", "unref", "error", `UNREF ${text}`, { inode });
      continue;
    }
    const severity = kind === DIRECTORY ? "error" : "warning";
    const message = `LINK COUNT ${text} COUNT ${nlink} SHOULD BE ${nlink - surplus}`;
    report("4", "link-count", severity, message, { inode, field: "ic_nlink" });
  }
}
