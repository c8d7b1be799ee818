// Looking into images of any origin: what they are, what is in them, whether they are sound and will boot, how two differ,
// where every byte lies.
//
//   const layer = await openImage(content, host);              // any bytes: ISO, UFS, FAT, disk, tar, gzip'd or not
//   const { node } = await locate(layer, "/boot/grub/menu.lst", { follow: true });
//   const report = await inspectLayer(layer);                   // what it is, layer by layer
//
// On Node, `openImageFile` of pureboot/node opens files by name and brings the host along.

export { bootArchivePaths } from "./boot-parts.ts";
export { type Diff, type DiffOptions, diffLayers, type TimeShift } from "./diff.ts";
export type { FieldDifference } from "./diff-fields.ts";
export type { Aspect, Change, PathDifference } from "./diff-trees.ts";
export { type Dumped, dumpAt } from "./dump.ts";
export { inodeNumbers } from "./inode-numbers.ts";
export { type Inspected, inspectLayer } from "./inspect.ts";
export type {
  ArchiveLayer,
  DirectoryLayer,
  DiskLayer,
  FatLayer,
  Figure,
  GzipLayer,
  InspectHost,
  IsoLayer,
  Layer,
  LayerKind,
  Part,
  PlainLayer,
  TreeLayer,
  UfsLayer,
} from "./layer.ts";
export {
  type AccountNames,
  accountNames,
  exactTimeText,
  type ListRow,
  type LongColumns,
  linkCounts,
  listDirectory,
  longLines,
  modeText,
  timeText,
} from "./list.ts";
export { fieldAt, type Located } from "./located.ts";
export { type MapRegion, type PlaceMap, placeMaps, type SizeMap, type SizeNode, sizeMaps } from "./map.ts";
export { placesHtml, sizesHtml } from "./map-html.ts";
export { placesSvg, sizesSvg } from "./map-svg.ts";
export { describeLayer, directoryLayer, openImage, openPlainLayer } from "./open.ts";
export { bootArchive, type LocateOptions, layerAt, locate, type Place, treeLayer } from "./paths.ts";
export { recognize } from "./recognize.ts";
export { type Mark, type Region, type RegionKind, type Regions, regionsOf } from "./regions.ts";
export { RULES, type Rule, ruleOf } from "./rules.ts";
export { type Stat, type StatExtent, statPlace } from "./stat.ts";
export { type Structure, valueText } from "./structure.ts";
export type { Verdict, VerifyFinding } from "./verdict.ts";
export { type VerifyOptions, verifyImage } from "./verify.ts";
