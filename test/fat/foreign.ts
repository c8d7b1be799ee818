// A FAT12 image that others made: mkfs.fat 4.2 (dosfstools) and mtools 4.0.32, with deleted files, names in lower case
// by Windows NT's bits, a fragmented file and a read-only one.

import { gunzipSync } from "node:zlib";

const GZIPPED = `
H4sIAAAAAAACA+3bT2scZRwH8N9GbdOENFvFoqeOvXkZSHvx4MFdskkLaRLSrUil4oRM0iXb3ZBdmkYk5CXYt1E8ehAE6RvIwXfg
obdc9tiT68NuDV3Rg1TwTz8fFp7Z+T7zLOzADF+GOf34mwe72718u+jHVKUSU3txHM8rUY2p+M1xfLh4/eqlpbWNxs3l1SxZqjUX
rqXx4pUfP//626tP+7Offnfxh/NxUv3idHDt2cnlk/dPf2neb/Wy9Ol0+1mRbXa7/WKzXWZbrd5unmXr7bLolVmr0yv3J/Ltdndv
7zArOltzM3v7Za+XNg+z3fIw63ez/n5KdopWJ8vzPJubCV7FnSfPh8PhfOWtL+P8cVwYDGefxtzPMT8Yvj0YvvNJ5d1BSv1N/2PO
/+vtpYv6dMTjhwf3Du6Nx3F++049e6E6PZGP7w83GisraylsftbM3otatb5eX4/ReDnOpby2XLu5+mKB6Yl8Jr6fjah30qThyHx8
NHzJeHdlKfajiJ14ECkvoxP9KGMr8nTYZrRiaaO2fKtxtFBPvxIT678xWh8AAICxPDtTjT/od3n+Z/n4+HqZqthWamj91M9+Ks7K
3Fl/uzuqa700K+Ur0U0Nbid9WU0zi1Tq7jYWb6+sHS0s1pq/629vjvrbRqO2eKsx6pcfTOaXouL0vbKvAAAA+FfT/wAAAPgrHnkE
6vkvAPCf8Hfd/++X7XbXa7QAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAD8Q34F70EJiQAA
AQA=
`;

export function foreignImage(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(gunzipSync(Buffer.from(GZIPPED, "base64")));
}

/** What mdir and mtype say of it. Times of directories are those of the day it was made. */
export const FOREIGN_FILES: Readonly<Record<string, { readonly content: string; readonly mode: number }>> = {
  "/Fragmented.bin": { content: "z".repeat(3000), mode: 0o644 },
  "/again": { content: "z".repeat(3000), mode: 0o644 },
  "/hello.txt": { content: "hello\n", mode: 0o644 },
  "/sub/README.TXT": { content: "x", mode: 0o444 },
  "/sub/Zeds.Long.Name.data": { content: "z".repeat(3000), mode: 0o644 },
};
export const FOREIGN_MTIME = Date.parse("2020-02-02T02:02:02Z") / 1000;
