// SMF: the service manager needs libraries that illumos' own build does not make. Where an adjunct supplies them, init may
// start svc.startd as usual.

import { type Directory, resolve, sortedEntries } from "../tree/index.ts";

/** Libraries that svc.startd, svc.configd and what they start are linked with, by the beginning of the file's name. */
const LIBRARIES: Readonly<Record<string, string>> = {
  libxml2: "libxml2.so",
  zlib: "libz.so",
  openssl: "libcrypto.so",
};

const LIBRARY_DIRECTORIES = ["/lib", "/usr/lib", "/lib/amd64", "/usr/lib/amd64", "/lib/64", "/usr/lib/64"];

/** Names of the libraries that SMF needs and the tree lacks; none: SMF can run. */
export function smfLibraries(tree: Directory): string[] {
  const names: string[] = [];
  for (const path of LIBRARY_DIRECTORIES) {
    const found = resolve(tree, path)?.node;
    if (found?.type === "directory") names.push(...sortedEntries(found).map(([name]) => name));
  }
  return Object.entries(LIBRARIES)
    .filter(([, prefix]) => !names.some((name) => name === prefix || name.startsWith(`${prefix}.`)))
    .map(([library]) => library);
}
