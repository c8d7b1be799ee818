// From an arrangement to addresses in a file system: its blocks go between the metadata of the groups, in order. Its parts are
// moved apart as far as free space allows, so that one that grows finds room and leaves the addresses in all others as they are.

import { divideUp, type Range } from "../bytes/index.ts";
import { firstExtentAt } from "../layout/index.ts";
import type { Arrangement } from "./allocate.ts";
import type { DataRun, IndirectBlock } from "./block-map.ts";
import type { Run } from "./free-space.ts";
import { freeRegions, type Regions } from "./regions.ts";
import type { Superblock } from "./superblock.ts";

/** Where the blocks of all inodes lie. */
export interface Placement {
  /** In order of lbn; neighbours that are contiguous on disk as well are one run. */
  runsOf(inode: number): readonly DataRun[];
  indirectOf(inode: number): readonly IndirectBlock[];
  /** Frags that an inode holds, indirect blocks included. */
  fragsOf(inode: number): number;
}

export interface Settled extends Placement {
  /** What is free, by address. */
  readonly free: readonly Run[];
  /** Blocks that are not there. Addresses beyond the end stand for them. */
  readonly missingBlocks: number;
}

const NONE: readonly IndirectBlock[] = [];

export function settle(sb: Superblock, arrangement: Arrangement): Settled {
  const { fs_frag } = sb;
  const { data, indirect, held, unused } = arrangement;
  const regions = freeRegions(sb);
  const { pieces, gaps } = pieceTogether(sb, arrangement, regions);

  /** Which piece a frag of the arrangement is in: they cover it. */
  const pieceOf = (frag: number): number => firstExtentAt({ extents: pieces }, frag);
  const addressOf = (frag: number): number => {
    const piece = pieces[pieceOf(frag)] as Piece;
    return piece.frag + (frag - piece.offset);
  };

  return {
    missingBlocks: Math.max(0, arrangement.blocks - regions.blocks),
    free: [...regions.partial, ...gaps, ...unused.map(({ frag, frags }) => ({ frag: addressOf(frag), frags }))]
      .filter(({ frag }) => frag < sb.fs_size)
      .sort((a, b) => a.frag - b.frag),
    runsOf(inode) {
      const list: DataRun[] = [];
      data.forEach(inode, ({ lbn, frag, frags }) => {
        let done = 0;
        for (let i = pieceOf(frag); done < frags; i++) {
          const piece = pieces[i] as Piece;
          const inPiece = frag + done - piece.offset;
          const taken = Math.min(frags - done, piece.length - inPiece);
          list.push({ lbn: lbn + divideUp(done, fs_frag), frag: piece.frag + inPiece, frags: taken });
          done += taken;
        }
      });
      return list;
    },
    indirectOf: (inode) => indirect.get(inode)?.map((block) => ({ ...block, frag: addressOf(block.frag) })) ?? NONE,
    fragsOf: (inode) => held[inode] as number,
  };
}

/** Frags of the arrangement in a row that lie in a row in the file system, from `frag` on. */
interface Piece extends Range {
  readonly frag: number;
}

/** The parts of the arrangement in the regions; `gaps` is what stays free between and behind them. */
function pieceTogether(
  { fs_frag, fs_size }: Superblock,
  arrangement: Arrangement,
  regions: Regions,
): { readonly pieces: readonly Piece[]; readonly gaps: readonly Run[] } {
  const { parts, blocks } = arrangement;
  const step = stepBlocks(arrangement, regions.blocks);
  const pieces: Piece[] = [];
  const gaps: Run[] = [];
  let region = 0;
  let next = regions.runs[0]?.frag ?? fs_size;
  const take = (frags: number, report: (frag: number, frags: number) => void): void => {
    let wanted = frags;
    for (let run = regions.runs[region]; run !== undefined && wanted > 0; run = regions.runs[region]) {
      const taken = Math.min(wanted, run.frag + run.frags - next);
      if (taken > 0) report(next, taken);
      wanted -= taken;
      next += taken;
      if (next === run.frag + run.frags) next = regions.runs[++region]?.frag ?? fs_size;
    }
    if (wanted === 0) return;
    report(next, wanted); // beyond the end
    next += wanted;
  };
  const leave = (frag: number, frags: number): void => void gaps.push({ frag, frags });
  let at = 0; // blocks of the regions that have been used or left free
  parts.forEach((part, i) => {
    const length = (parts[i + 1] ?? blocks) - part;
    const start = divideUp(at, step) * step;
    take((start - at) * fs_frag, leave);
    let offset = part * fs_frag;
    take(length * fs_frag, (frag, frags) => {
      const last = pieces.at(-1);
      // The end of a group and the beginning of the next one lie next to each other.
      if (last && last.frag + last.length === frag)
        pieces[pieces.length - 1] = { ...last, length: last.length + frags };
      else pieces.push({ offset, length: frags, frag });
      offset += frags;
    });
    at = start + length;
  });
  take(Math.max(0, regions.blocks - at) * fs_frag, leave);
  return { pieces, gaps };
}

/** Parts begin at multiples of so many blocks at most. */
const MOST_STEP_BLOCKS = 64;

/** The largest step with which no more than half of what is free lies between parts; 1: parts follow each other. */
function stepBlocks({ parts, blocks }: Arrangement, availableBlocks: number): number {
  for (let step = MOST_STEP_BLOCKS; step > 1; step /= 2) {
    let end = 0;
    parts.forEach((part, i) => {
      end = divideUp(end, step) * step + (parts[i + 1] ?? blocks) - part;
    });
    if (end - blocks <= (availableBlocks - blocks) / 2) return step;
  }
  return 1;
}
