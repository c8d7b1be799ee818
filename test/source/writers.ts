// Archives put together by hand, so that they can be as wrong as one likes.

import { crc32, deflateRawSync } from "node:zlib";
import { type Content, memoryContent } from "../../src/bytes/index.ts";
import { cpioNewc, cpioOdc } from "../../src/source/format-cpio.ts";
import { SIGNATURE, zipCentralHeader, zipEnd, zipLocalHeader } from "../../src/source/format-zip.ts";
import { bytes } from "./samples.ts";

export const join = (...parts: (Uint8Array | string)[]): Uint8Array<ArrayBuffer> =>
  new Uint8Array(Buffer.concat(parts.map((part) => (typeof part === "string" ? bytes(part) : part))));

export interface CpioMember {
  readonly name: string;
  readonly body?: string;
  readonly mode?: number;
  readonly ino?: number;
  readonly nlink?: number;
  readonly mtime?: number;
  readonly rdev?: readonly [number, number];
  readonly checksum?: number;
  readonly filesize?: number;
}

const pad = (length: number, unit: number) => new Uint8Array((unit - (length % unit)) % unit);

export function cpio(format: "odc" | "newc" | "crc", ...members: CpioMember[]): Uint8Array<ArrayBuffer> {
  const all = [...members, { name: "TRAILER!!!", mode: 0, ino: 0 }];
  return join(
    ...all.flatMap((member, index) => {
      const { name, body = "", mode = 0o100644, ino = index + 1, nlink = 1, mtime = 5, rdev = [0, 0] } = member;
      const common = { c_ino: ino, c_mode: mode, c_uid: 1, c_gid: 2, c_nlink: nlink, c_mtime: mtime };
      const sizes = { c_namesize: name.length + 1, c_filesize: member.filesize ?? body.length };
      if (format === "odc") {
        const header = new Uint8Array(cpioOdc.sizeBytes);
        cpioOdc.encode({ ...common, ...sizes, c_dev: 0, c_magic: "070707", c_rdev: rdev[0] * 256 + rdev[1] }, header);
        return [header, `${name}\0`, body];
      }
      const sum = bytes(body).reduce((total, byte) => total + byte, 0);
      const header = new Uint8Array(cpioNewc.sizeBytes);
      cpioNewc.encode(
        {
          ...{ ...common, ...sizes, c_maj: 0, c_min: 0, c_rmaj: rdev[0], c_rmin: rdev[1] },
          c_magic: format === "crc" ? "070702" : "070701",
          c_chksum: member.checksum ?? (format === "crc" ? sum : 0),
        },
        header,
      );
      return [header, `${name}\0`, pad(110 + name.length + 1, 4), body, pad(body.length, 4)];
    }),
  );
}

export interface ZipMember {
  readonly name: string;
  readonly body?: string;
  readonly mode?: number;
  readonly method?: number;
  readonly flags?: number;
  readonly crc?: number;
  readonly size?: number;
  readonly extra?: Uint8Array;
}

export function zip(...members: ZipMember[]): Content {
  const locals: Uint8Array[] = [];
  const centrals: Uint8Array[] = [];
  let offset = 0;
  for (const { name, body = "", mode = 0, method = 8, flags = 0, extra = new Uint8Array(0), ...wrong } of members) {
    const data = method === 8 ? new Uint8Array(deflateRawSync(bytes(body))) : bytes(body);
    const common = {
      ...{
        method,
        flags,
        crc32: wrong.crc ?? crc32(bytes(body)),
        compressedSize: data.length,
        nameLength: name.length,
      },
      ...{ uncompressedSize: wrong.size ?? body.length, date: (20 << 9) | (1 << 5) | 2 }, // 2000-01-02
    };
    const local = new Uint8Array(zipLocalHeader.sizeBytes);
    zipLocalHeader.encode({ ...common, signature: SIGNATURE.local }, local);
    const central = new Uint8Array(zipCentralHeader.sizeBytes);
    zipCentralHeader.encode(
      {
        ...{ ...common, signature: SIGNATURE.central, versionMadeBy: mode ? 3 << 8 : 0, extraLength: extra.length },
        ...{ externalAttributes: mode * 65536, localHeaderOffset: offset },
      },
      central,
    );
    const whole = join(local, name, data);
    offset += whole.length;
    locals.push(whole);
    centrals.push(join(central, name, extra));
  }
  const directory = join(...centrals);
  const end = new Uint8Array(zipEnd.sizeBytes);
  const entries = members.length;
  zipEnd.encode(
    { signature: SIGNATURE.end, entriesHere: entries, entries, centralSize: directory.length, centralOffset: offset },
    end,
  );
  return memoryContent(join(...locals, directory, end));
}
