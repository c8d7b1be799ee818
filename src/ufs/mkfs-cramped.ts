// mkfs' advice where not even the smallest cylinder group fits its block (mkfs.c, "mapcramped" and "inodecramped").

import { roundUp } from "../bytes/index.ts";
import { type CheckedOperands, MAXBSIZE, MAXFRAG, MINBSIZE, refuse } from "./mkfs-operands.ts";
import { cgsizeOf, INODE_BYTES, maxipg } from "./superblock.ts";

const SECTOR = 512;

export interface Cramped {
  readonly spc: number;
  readonly mincpc: number;
  readonly mincpgcnt: number;
  readonly mincpg: number;
  readonly usedSectors: number;
  readonly inodesOfCylinder: number;
}

/** The smallest group does not fit its block, or has too many inodes: mkfs looks for other sizes, advises them and gives up. */
export function refuseCramped(given: CheckedOperands, start: Cramped): never {
  const lines: string[] = [];
  let { bsize, fragsize } = given;
  let { mincpc, mincpg } = start;
  let frag = bsize / fragsize;
  let cpg = mincpg;
  const bytesOf = (ipg: number): number =>
    cgsizeOf({
      fs_cpg: cpg,
      fs_ipg: ipg,
      fs_nrpos: given.nrpos,
      fs_spc: start.spc,
      fs_nspf: fragsize / SECTOR,
    });

  let rest = start.spc;
  for (let cpc = (given.fragsize / SECTOR) * frag; cpc > 1 && rest % 2 === 0; rest /= 2) cpc /= 2;
  let mapcramped = false;
  while (bytesOf(start.inodesOfCylinder) > bsize) {
    mapcramped = true;
    if (bsize < MAXBSIZE) {
      bsize *= 2;
      if (rest % 2 === 0) rest /= 2;
      else {
        mincpc *= 2;
        mincpg = roundUp(start.mincpgcnt, mincpc);
        cpg = mincpg;
      }
      frag *= 2;
      if (frag <= MAXFRAG) continue;
    }
    if (fragsize === bsize) refuse([...lines, "There is no block size that can support this disk"]);
    frag /= 2;
    fragsize *= 2;
  }

  // mkfs keeps INOPB of the first block size.
  const inopb = given.bsize / INODE_BYTES;
  const dataBytes = (): number => mincpg * start.spc * SECTOR - start.usedSectors * SECTOR;
  const inodes = (): number => roundUp(Math.floor(dataBytes() / given.nbpi), inopb);
  const most = (): number => maxipg(bsize, inopb);
  const inodecramped = inodes() > most();
  while (inodes() > most()) {
    if (mincpc === 1 || frag === 1 || bsize === MINBSIZE) break;
    lines.push(`With a block size of ${bsize} minimum bytes per inode is ${Math.floor(dataBytes() / most()) + 1}`);
    bsize /= 2;
    frag /= 2;
    mincpc /= 2;
    cpg = roundUp(start.mincpgcnt, mincpc);
    if (bytesOf(inodes()) > bsize) {
      bsize *= 2;
      break;
    }
    mincpg = cpg;
  }
  if (inodecramped) {
    if (inodes() > most()) lines.push(`Minimum bytes per inode is ${Math.floor(dataBytes() / most()) + 1}`);
    else if (!mapcramped) {
      lines.push(`With ${given.nbpi} bytes per inode, minimum cylinders per group is ${mincpg}`);
    }
  }
  if (mapcramped) lines.push(`With ${start.spc} sectors per cylinder, minimum cylinders per group is ${mincpg}`);
  const changes = [
    ...(bsize === given.bsize ? [] : [`the block size to be changed from ${given.bsize} to ${bsize}`]),
    ...(fragsize === given.fragsize ? [] : [`the fragment size to be changed from ${given.fragsize} to ${fragsize}`]),
  ];
  lines.push(
    changes.length > 0
      ? `This requires ${changes.join(" and ")}`
      : "Unable to make filesystem fit with the given constraints",
  );
  refuse([...lines, "Please re-run mkfs with corrected parameters"]);
}
