// The structures of illumos' x86 UFS, little endian, as usr/src/uts/common/sys/fs/ufs_fs.h, ufs_inode.h and
// ufs_fsdir.h state them for 32-bit programs (mkfs, newfs and fsck are such). "frag" = fragment: the unit of every
// disk address. Where the header has big- and little-endian positions of a field, this is the little-endian one.

import { array, field, i16, i32, paddedString, rawBytes, struct, u8, u16, u32, u64 } from "../bytes/index.ts";

export const FS_MAGIC = 0x00011954;
/** Multi-terabyte file systems: recognised and refused, the boot reader knows FS_MAGIC only. */
export const MTB_UFS_MAGIC = 0x00decade;
export const CG_MAGIC = 0x00090255;

/** Byte offset of the primary superblock, and the bytes that mkfs writes there and at every copy. */
export const SBOFF = 8192;
export const SBSIZE = 8192;

export const UFSROOTINO = 2;
/** mkfs makes lost+found right after the root. */
export const LOSTFOUNDINO = 3;

export const NDADDR = 12;
export const NIADDR = 3;
/** A directory is a row of chunks of this size; no entry crosses a chunk's end. */
export const DIRBLKSIZ = 512;
export const MAXNAMLEN = 255;
/** Of a symlink's target, with the NUL that the kernel adds when it reads it. */
export const MAXPATHLEN = 1024;
export const MAXLINK = 32767;
/** Largest size of a file in bytes: what fsck and the kernel accept (UFS_MAXOFFSET_T). */
export const UFS_MAXOFFSET_T: number = 2 ** 40 - 1;
/** Above this many bytes a file needs FSLARGEFILES in fs_flags. */
export const MAXOFF32: number = 2 ** 31 - 1;

/** fs_state + fs_time equals this where fs_clean may be believed. */
export const FSOKAY = 0x7c269d38;
export const FSLARGEFILES = 1;
export const FSACTIVE = 0;
export const FSCLEAN = 1;
export const FSSTABLE = 2;
export const FSBAD = 0xff;
export const FSSUSPEND = 0xfe;
export const FSLOG = 0xfd;
export const FSFIX = 0xfc;

export const FS_42POSTBLFMT = -1;
export const FS_DYNAMICPOSTBLFMT = 1;

/** fs_version of mkfs for disks that carry an EFI-style geometry without being EFI disks. */
export const UFS_EFISTYLE4NONEFI_VERSION_2 = 2;

export const csum = struct("csum", 16, {
  cs_ndir: field(0, i32, "directories"),
  cs_nbfree: field(4, i32, "free whole blocks"),
  cs_nifree: field(8, i32, "free inodes"),
  cs_nffree: field(12, i32, "free frags in partly free blocks"),
});

export const fs = struct("fs", 1380, {
  fs_link: field(0, i32, "0"),
  fs_rolled: field(4, i32, "log: 0 not known, 1 all rolled, 2 needs rolling"),
  fs_sblkno: field(8, i32, "frags from cgstart to the superblock copy"),
  fs_cblkno: field(12, i32, "frags from cgstart to the cylinder group block"),
  fs_iblkno: field(16, i32, "frags from cgstart to the inodes"),
  fs_dblkno: field(20, i32, "frags from cgstart to the first data"),
  fs_cgoffset: field(24, i32, "frags by which cgstart moves on from group to group"),
  fs_cgmask: field(28, i32, "group & ~mask = how often cgoffset is added"),
  fs_time: field(32, i32, "last written, seconds since 1970"),
  fs_size: field(36, i32, "frags in the file system"),
  fs_dsize: field(40, i32, "frags that can hold data"),
  fs_ncg: field(44, i32, "cylinder groups"),
  fs_bsize: field(48, i32, "bytes in a block: 4096 or 8192"),
  fs_fsize: field(52, i32, "bytes in a frag: bsize/8 .. bsize"),
  fs_frag: field(56, i32, "frags in a block"),
  fs_minfree: field(60, i32, "percent kept free for root"),
  fs_rotdelay: field(64, i32, "0"),
  fs_rps: field(68, i32, "revolutions a second"),
  fs_bmask: field(72, i32, "-bsize"),
  fs_fmask: field(76, i32, "-fsize"),
  fs_bshift: field(80, i32, "log2 bsize"),
  fs_fshift: field(84, i32, "log2 fsize"),
  fs_maxcontig: field(88, i32, "blocks in an I/O cluster"),
  fs_maxbpg: field(92, i32, "blocks of one file in a group: bsize/4"),
  fs_fragshift: field(96, i32, "log2 frag"),
  fs_fsbtodb: field(100, i32, "log2 (fsize/512)"),
  fs_sbsize: field(104, i32, "bytes of superblock and tables, rounded up to frags"),
  fs_csmask: field(108, i32, "-(bsize/16)"),
  fs_csshift: field(112, i32, "log2 (bsize/16)"),
  fs_nindir: field(116, i32, "addresses in an indirect block: bsize/4"),
  fs_inopb: field(120, i32, "inodes in a block: bsize/128"),
  fs_nspf: field(124, i32, "sectors in a frag: fsize/512"),
  fs_optim: field(128, i32, "0 time, 1 space"),
  fs_state: field(132, i32, "0x7c269d38 - fs_time, else fs_clean is not believed"),
  fs_si: field(136, i32, "0 summary information is good, 1 it is not"),
  fs_trackskew: field(140, i32, "0"),
  fs_id: field(144, array(i32, 2), "0, 0"),
  fs_csaddr: field(152, i32, "frag address of the summary array: one csum a group"),
  fs_cssize: field(156, i32, "bytes of the summary array, rounded up to frags"),
  fs_cgsize: field(160, i32, "bytes of a cylinder group block, rounded up to frags"),
  fs_ntrak: field(164, i32, "tracks in a cylinder"),
  fs_nsect: field(168, i32, "sectors in a track"),
  fs_spc: field(172, i32, "sectors in a cylinder: nsect * ntrak - apc"),
  fs_ncyl: field(176, i32, "cylinders, the last may be short"),
  fs_cpg: field(180, i32, "cylinders in a group"),
  fs_ipg: field(184, i32, "inodes in a group"),
  fs_fpg: field(188, i32, "frags in a group"),
  fs_cstotal_ndir: field(192, i32, "fs_cstotal: directories"),
  fs_cstotal_nbfree: field(196, i32, "fs_cstotal: free whole blocks"),
  fs_cstotal_nifree: field(200, i32, "fs_cstotal: free inodes"),
  fs_cstotal_nffree: field(204, i32, "fs_cstotal: free frags in partly free blocks"),
  fs_fmod: field(208, u8, "0 (in memory: modified)"),
  fs_clean: field(209, u8, "0 active, 1 clean, 2 stable, 0xff bad, 0xfe suspended, 0xfd logging, 0xfc being fixed"),
  fs_ronly: field(210, u8, "0 (in memory: mounted read-only)"),
  fs_flags: field(211, u8, "bit 0: some file is larger than 2^31-1 bytes"),
  fs_fsmnt: field(212, paddedString(512, 0), "where last mounted"),
  fs_cgrotor: field(724, i32, "group to search next"),
  fs_u: field(728, rawBytes(128), "0 (in memory: pointers)"),
  fs_cpc: field(856, i32, "cylinders in a cycle of the rotational tables, 0 = no tables"),
  fs_opostbl: field(860, rawBytes(256), "int16[16][8], the first rotational table where nrpos is 8 and cpc <= 16"),
  fs_sparecon: field(1116, rawBytes(204), "0"),
  fs_version: field(1320, i32, "0, 1 multi-terabyte, 2 EFI-style geometry"),
  fs_logbno: field(1324, i32, "sector of the log's extent block, 0 = none"),
  fs_reclaim: field(1328, i32, "flags of pending deletions"),
  fs_sparecon2: field(1332, i32, "0"),
  fs_npsect: field(1336, i32, "sectors in a track with spares: nsect"),
  fs_qbmask: field(1340, u64, "bsize - 1"),
  fs_qfmask: field(1348, u64, "fsize - 1"),
  fs_postblformat: field(1356, i32, "1, dynamic"),
  fs_nrpos: field(1360, i32, "rotational positions told apart"),
  fs_postbloff: field(1364, i32, "offset of the table int16[cpc][nrpos]: first block at a position"),
  fs_rotbloff: field(1368, i32, "offset of the table u8[]: distance to the next block at the same position"),
  fs_magic: field(1372, u32, "0x00011954 (0x00decade multi-terabyte)"),
});

export const cg = struct("cg", 168, {
  cg_link: field(0, i32, "0"),
  cg_magic: field(4, u32, "0x00090255"),
  cg_time: field(8, i32, "last written, seconds since 1970"),
  cg_cgx: field(12, i32, "number of this group"),
  cg_ncyl: field(16, i16, "cylinders in this group"),
  cg_niblk: field(18, i16, "inodes in this group: ipg"),
  cg_ndblk: field(20, i32, "frags in this group"),
  cg_cs_ndir: field(24, i32, "cg_cs: directories"),
  cg_cs_nbfree: field(28, i32, "cg_cs: free whole blocks"),
  cg_cs_nifree: field(32, i32, "cg_cs: free inodes"),
  cg_cs_nffree: field(36, i32, "cg_cs: free frags in partly free blocks"),
  cg_rotor: field(40, i32, "frag where the search for a block begins"),
  cg_frotor: field(44, i32, "frag where the search for a frag begins"),
  cg_irotor: field(48, i32, "inode where the search for an inode begins"),
  cg_frsum: field(52, array(i32, 8), "free runs of exactly k frags in partly free blocks"),
  cg_btotoff: field(84, i32, "offset of int32[cpg]: free blocks by cylinder"),
  cg_boff: field(88, i32, "offset of int16[cpg][nrpos]: free blocks by rotational position"),
  cg_iusedoff: field(92, i32, "offset of the inode map, bit set = used"),
  cg_freeoff: field(96, i32, "offset of the frag map, bit set = free"),
  cg_nextfreeoff: field(100, i32, "end of the maps"),
  cg_sparecon: field(104, rawBytes(64), "0"),
});

export const dinode = struct("dinode", 128, {
  ic_smode: field(0, u16, "type and permissions, 0 = free inode"),
  ic_nlink: field(2, i16, "links"),
  ic_suid: field(4, u16, "user, or 65535: see ic_uid"),
  ic_sgid: field(6, u16, "group, or 65535: see ic_gid"),
  ic_lsize: field(8, u64, "bytes"),
  ic_atime: field(16, i32, "last access, seconds since 1970"),
  ic_atime_usec: field(20, i32, "and microseconds"),
  ic_mtime: field(24, i32, "last modification, seconds since 1970"),
  ic_mtime_usec: field(28, i32, "and microseconds"),
  ic_ctime: field(32, i32, "last change of the inode, seconds since 1970"),
  ic_ctime_usec: field(36, i32, "and microseconds"),
  ic_db: field(40, array(i32, NDADDR), "frag addresses of blocks 0..11, 0 = hole; ic_db[1] of a device: its number"),
  ic_ib: field(88, array(i32, NIADDR), "frag addresses of the single, double and triple indirect block"),
  ic_flags: field(100, i32, "1 attributes, 2 preallocated, 4 compressed (dcfs)"),
  ic_blocks: field(104, i32, "sectors held, indirect blocks included"),
  ic_gen: field(108, i32, "generation number"),
  ic_shadow: field(112, i32, "inode with the ACL, 0 = none"),
  ic_uid: field(116, u32, "user"),
  ic_gid: field(120, u32, "group"),
  ic_oeftflag: field(124, u32, "inode of the attribute directory, 0 = none"),
});

export const direct = struct("direct", 8, {
  d_ino: field(0, u32, "inode, 0 = free entry"),
  d_reclen: field(4, u16, "bytes to the next entry"),
  d_namlen: field(6, u16, "bytes of the name, which follows with a NUL"),
});

/** Type bits of inodes that no other system knows: an ACL, and a directory of extended attributes. */
export const IFSHAD = 0o130000;
export const IFATTRDIR = 0o160000;

/** ic_flags: an extended attribute or its directory; block addresses may be negative (allocated, reads as zeros). */
export const IXATTR = 1;
export const IFALLOCATE = 2;

export const FSD_FREE = 0;
export const FSD_ACL = 1;
export const FSD_DFACL = 2;
export const FSD_RESERVED3 = 3;
export const FSD_RESERVED7 = 7;

/** Head of a record in an ACL's inode (sys/fs/ufs_acl.h). Records begin at multiples of 4. */
export const ufsFsd = struct("ufs_fsd", 8, {
  fsd_type: field(0, i32, "0 free, 1 ACL, 2 default ACL"),
  fsd_size: field(4, i32, "bytes of the record, this head included"),
});

/** One entry of an ACL. */
export const ufsAcl = struct("ufs_acl", 12, {
  acl_tag: field(0, u16, "1 owner, 2 user, 4 group, 8 other group, 0x10 mask, 0x20 other; + 0x1000 default"),
  acl_perm: field(4, u16, "permissions, 0..7"),
  acl_who: field(8, u32, "user or group"),
});

/** The block at fs_logbno: where the log lies (sys/fs/ufs_log.h). The extents follow. */
export const extentBlock = struct("extent_block", 20, {
  type: field(0, u32, "0"),
  chksum: field(4, i32, "sum of all 32-bit words of the block, this one taken as 0"),
  nextents: field(8, u32, "extents that follow"),
  nbytes: field(12, u32, "bytes of the log"),
  nextbno: field(16, u32, "sector of the next extent block, 0 = none"),
});

export const logExtent = struct("extent", 12, {
  lbno: field(0, u32, "sector within the log"),
  pbno: field(4, u32, "sector of the file system"),
  nbno: field(8, u32, "sectors"),
});
