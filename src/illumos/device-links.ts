// The links in /dev that `devfsadm -r` would make, for devices that exist on every machine. On a read-only root the
// kernel's /dev cannot add entries, so what /dev/console and its like are must be stored in the image. Disks, networks
// and USB are left to the running system: they depend on the machine, and a build host's would be wrong.
// Source: the pseudo device nodes of illumos' drivers; SmartOS ships the same set statically.

import { type Attributes, type Directory, draft, symlink } from "../tree/index.ts";

/** Minor nodes whose link has the minor's own name: driver → names. All are instance 0 of the driver. */
const SAME_NAME: Readonly<Record<string, readonly string[]>> = {
  cn: ["console", "syscon", "systty"],
  mm: ["null", "zero", "full", "mem", "kmem", "allkmem"],
  sy: ["tty"],
  sysmsg: ["msglog", "sysmsg"],
  log: ["log", "conslog"],
  random: ["random", "urandom"],
  ptm: ["ptmajor"],
  tl: ["ticlts", "ticots", "ticotsord"],
  pool: ["pool", "poolctl"],
  dlpistub: ["vni", "ipmpstub"],
  conskbd: ["kbd"],
  consms: ["mouse"],
  wc: ["wscons"],
  power: ["power_button"],
  ipnet: ["lo0"],
};

/** Drivers whose only minor node bears the driver's name. */
const SAME_AS_DRIVER: readonly string[] = [
  ..."tcp tcp6 udp udp6 ip ip6 icmp icmp6 arp rts keysock spdsock ipsecah ipsecesp sdp".split(" "),
  ..."kstat ksyms dump fm bl bpf crypto cryptoadm sysevent ucode physmem poll pm smbios zfs nsmb srn".split(" "),
  ..."winlock kmdb lockstat ppm".split(" "),
];

/** Links that follow no rule: path below /dev → node below /devices/pseudo. */
const OTHERS: Readonly<Record<string, string>> = {
  ptmx: "clone@0:ptm",
  rawip: "icmp@0:icmp",
  rawip6: "icmp6@0:icmp6",
  openprom: "openeepr@0:openprom",
  lofictl: "lofi@0:ctl",
  fssnapctl: "fssnap@0:ctl",
  dld: "dld@0:ctl",
  ramdiskctl: "ramdisk@1024:ctl", // ramdisk.conf gives the pseudo instance 1024
  "cpu/self/cpuid": "cpuid@0:self",
  bridgectl: "clone@0:bridge",
  llc1: "clone@0:llc1",
  logindmux: "clone@0:logindmux",
  sppp: "clone@0:sppp",
  sppptun: "clone@0:sppptun",
  "sad/admin": "sad@0:admin",
  "sad/user": "sad@0:user",
};

const DTRACE_PROVIDERS = "dcpc fasttrap fbt lockstat profile sdt systrace".split(" ");
const IPF_MINORS = ["ipf", "ipauth", "ipfev", "iplookup", "ipnat", "ipscan", "ipstate", "ipsync"];
const PTY_BANKS = "pqr";
const PTY_UNITS = "0123456789abcdef";

/** Directories below /dev that the links need, and the one that fd's file system is mounted on. */
const DIRECTORIES: readonly { readonly path: string; readonly mode: number }[] = [
  { path: "/dev/cpu", mode: 0o755 },
  { path: "/dev/cpu/self", mode: 0o755 },
  { path: "/dev/dtrace", mode: 0o755 },
  { path: "/dev/dtrace/provider", mode: 0o755 },
  { path: "/dev/fd", mode: 0o555 },
  { path: "/dev/sad", mode: 0o755 },
];

export interface DeviceLink {
  /** Path in the image. */
  readonly path: string;
  /** Relative link target, as devfsadm writes it. */
  readonly target: string;
}

/** Every static link, by path. */
export function deviceLinks(): DeviceLink[] {
  const links: DeviceLink[] = [];
  const toNode = (name: string, node: string): void => {
    const up = "../".repeat(name.split("/").length);
    links.push({ path: `/dev/${name}`, target: `${up}devices/pseudo/${node}` });
  };
  for (const [driver, names] of Object.entries(SAME_NAME))
    for (const name of names) toNode(name, `${driver}@0:${name}`);
  for (const driver of SAME_AS_DRIVER) toNode(driver, `${driver}@0:${driver}`);
  for (const [name, node] of Object.entries(OTHERS)) toNode(name, node);
  for (const provider of DTRACE_PROVIDERS) toNode(`dtrace/provider/${provider}`, `${provider}@0:${provider}`);
  for (const minor of IPF_MINORS) toNode(minor === "ipf" ? "ipl" : minor, `ipf@0:${minor}`);
  for (const bank of PTY_BANKS) {
    for (const unit of PTY_UNITS) {
      toNode(`pty${bank}${unit}`, `ptc@0:pty${bank}${unit}`);
      toNode(`tty${bank}${unit}`, `ptsl@0:tty${bank}${unit}`);
    }
  }
  ["stdin", "stdout", "stderr"].forEach((name, fd) => {
    links.push({ path: `/dev/${name}`, target: `./fd/${fd}` });
  });
  return links.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/**
 * Adds the links that the tree does not have yet; what is there stays (the gate ships a few of them itself).
 * @returns the new tree and how many links were added
 */
export function addDeviceLinks(tree: Directory, attributes: Attributes): { tree: Directory; added: number } {
  const edit = draft(tree);
  const directoryAttributes = { ...attributes, mode: 0o755 };
  for (const { path, mode } of DIRECTORIES) {
    if (edit.get(path) === undefined) {
      edit.put(path, { type: "directory", ...attributes, mode, entries: new Map() }, directoryAttributes);
    }
  }
  let added = 0;
  for (const { path, target } of deviceLinks()) {
    if (edit.get(path) !== undefined) continue;
    edit.put(path, symlink({ ...attributes, mode: 0o777 }, target), directoryAttributes);
    added++;
  }
  return { tree: edit.tree(), added };
}
