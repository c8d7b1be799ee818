// SMF: the service manager needs libraries that illumos' own build does not make. Where an adjunct supplies them, init may
// start svc.startd as usual.

import { byteString, bytesOf, type Content, memoryContent, readAll, textContent } from "../bytes/index.ts";
import { type Attributes, type Directory, draft, file, findFile, resolve, sortedEntries } from "../tree/index.ts";

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

const PROFILE_PATH = "/etc/svc/profile/site/pureboot.xml";
const SEED_PATH = "/lib/svc/seed/global.db";
const REPOSITORY_PATH = "/etc/svc/repository.db";
const VFSTAB_PATH = "/etc/vfstab";

/** Site profiles are applied when services are imported at the first boot; this one turns the console's login on. */
const CONSOLE_LOGIN_PROFILE = `<?xml version='1.0'?>
<!DOCTYPE service_bundle SYSTEM '/usr/share/lib/xml/dtd/service_bundle.dtd.1'>
<service_bundle type='profile' name='pureboot'>
  <service name='system/console-login' type='service' version='1'>
    <instance name='default' enabled='true'/>
  </service>
</service_bundle>
`;

/** The root as services remount it; a log would take space on the ramdisk and protect nothing. */
const VFSTAB_ROOT = "/devices/ramdisk:a\t-\t/\tufs\t-\tno\tnologging\n";

export interface SmfPrepared {
  readonly tree: Directory;
  readonly made: readonly string[];
}

/**
 * What an installer does for SMF and a proto area lacks: the repository of services (a copy of the seed), the root's line in
 * vfstab, and a profile that turns the console's login on. What is there already stays.
 */
export async function prepareSmf(tree: Directory, attributes: Attributes): Promise<SmfPrepared> {
  const edit = draft(tree);
  const made: string[] = [];
  const put = (path: string, mode: number, content: Content): void => {
    edit.put(path, file({ ...attributes, mode }, content), { ...attributes, mode: 0o755 });
    made.push(path);
  };
  const seed = findFile(tree, SEED_PATH);
  if (seed && resolve(tree, REPOSITORY_PATH) === undefined) put(REPOSITORY_PATH, 0o600, seed.content);
  if (resolve(tree, PROFILE_PATH) === undefined) put(PROFILE_PATH, 0o444, textContent(CONSOLE_LOGIN_PROFILE));
  const vfstab = findFile(tree, VFSTAB_PATH);
  const text = vfstab ? byteString(await readAll(vfstab.content, MAX_VFSTAB_BYTES)) : "";
  const hasRoot = text.split("\n").some((line) => !line.startsWith("#") && line.trim().split(/\s+/)[2] === "/");
  if (!hasRoot) {
    const separator = text === "" || text.endsWith("\n") ? "" : "\n";
    put(VFSTAB_PATH, vfstab?.mode ?? 0o644, memoryContent(bytesOf(text + separator + VFSTAB_ROOT)));
  }
  return { tree: edit.tree(), made };
}

const MAX_VFSTAB_BYTES = 2 ** 20;
