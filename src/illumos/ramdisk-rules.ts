// Whether kernel and init will come up in a ramdisk: what they need, and how it must be. Every finding's code is the name of
// a rule that `verify` explains.

import type { Finding } from "../bytes/index.ts";
import { type Directory, findFile, type Node, resolve, type Symlink, someNode, walk } from "../tree/index.ts";
import { isBootPath } from "../ufs/index.ts";
import { MOUNT_FILES, MOUNT_POINTS, missingNeeds, PATH_TO_INST_BOOTSTRAP } from "./requirements.ts";
import { smfLibraries } from "./smf.ts";
import { readTextFile } from "./text-files.ts";

/** The kernel panics without these; others are warned about when something shall be mounted there. */
const ESSENTIAL_MOUNT_POINTS = 2;

/** Everything that keeps a system in this tree from coming up, or hinders it. @throws ImageError what reading its files throws */
export async function ramdiskFindings(tree: Directory): Promise<Finding[]> {
  return [
    ...(await missingNeeds(tree)),
    ...mountPointFindings(tree),
    ...consoleFindings(tree),
    ...(await initFindings(tree)),
    ...(await instanceFindings(tree)),
    ...linkFindings(tree),
  ];
}

function mountPointFindings(tree: Directory): Finding[] {
  const findings: Finding[] = [];
  const missing = (path: string, what: string, severity: Finding["severity"]): void => {
    const message = `${path}: ${what} is missing: a file system is mounted there`;
    findings.push({ code: "mount-point", severity, path, message });
  };
  MOUNT_POINTS.forEach(({ path }, i) => {
    if (resolve(tree, path)?.node.type === "directory") return;
    missing(path, "the directory", i < ESSENTIAL_MOUNT_POINTS ? "error" : "warning");
  });
  for (const path of MOUNT_FILES) if (findFile(tree, path) === undefined) missing(path, "the file", "warning");
  return findings;
}

/** What init opens beside /dev/console, and where the console's links must lead (cn is the console's driver). */
const CONSOLE_LINKS = ["/dev/console", "/dev/syscon", "/dev/systty"];

function consoleFindings(tree: Directory): Finding[] {
  const findings: Finding[] = [];
  const dev = resolve(tree, "/dev")?.node;
  if (dev?.type !== "directory") return [];
  for (const path of CONSOLE_LINKS) {
    const node: Node | undefined = dev.entries.get(path.slice("/dev/".length));
    const find = (problem: string): void => {
      findings.push({ code: "console-links", severity: "warning", path, message: `${path}: ${problem}` });
    };
    if (node === undefined) {
      if (path !== "/dev/console") find("is missing; init opens it"); // the console has a rule of its own
    } else if (
      node.type === "symlink" &&
      !/(^|\/)(devices\/pseudo\/cn@0:|console$|syscon$|systty$)/.test(node.target)
    ) {
      find(`leads to ${node.target}, not to the console's device (../devices/pseudo/cn@0:…)`);
    }
  }
  return findings;
}

const INITTAB_PATH = "/etc/inittab";

/** init keeps the command of the entry "smf" running; without that entry it asks for the root password instead. */
async function initFindings(tree: Directory): Promise<Finding[]> {
  const inittab = await readTextFile(tree, INITTAB_PATH);
  if (inittab === undefined) return []; // a missing file has a rule of its own
  const lines = inittab.split("\n").filter((line) => !line.startsWith("#"));
  const command = lines
    .map((line) => line.split(":"))
    .find(([id]) => id === "smf")
    ?.slice(3)
    .join(":")
    .trim();
  if (command === undefined) {
    const message = `${INITTAB_PATH}: has no entry with the id "smf": init goes to single user and asks for a password`;
    return [{ code: "inittab-smf", severity: "error", path: INITTAB_PATH, message }];
  }
  const [program = ""] = command.split(/\s+/);
  const found = findFile(tree, program);
  if (found === undefined || (found.mode & 0o111) === 0) {
    const problem = found === undefined ? "is not there" : "may not be executed";
    const message = `${INITTAB_PATH}: the entry "smf" starts ${program}, which ${problem}`;
    return [{ code: "init-command", severity: "error", path: program || INITTAB_PATH, message }];
  }
  if (!program.endsWith("/svc.startd")) return [];
  const libraries = smfLibraries(tree);
  if (libraries.length === 0) return [];
  const message = `${program}: cannot run without ${libraries.join(", ")}, which illumos' own build does not make`;
  return [{ code: "smf-libraries", severity: "error", path: program, message }];
}

async function instanceFindings(tree: Directory): Promise<Finding[]> {
  const path = "/etc/path_to_inst";
  const text = await readTextFile(tree, path);
  if (text === undefined || text.startsWith(PATH_TO_INST_BOOTSTRAP.trim())) return [];
  if (text.trim() === "") return [];
  const message = `${path}: has instance numbers of some machine instead of the line ${PATH_TO_INST_BOOTSTRAP.trim()}`;
  return [{ code: "path-to-inst", severity: "note", path, message }];
}

/** The boot-time reader takes a link's text from the first 512 bytes of its block, NUL included. */
const MAX_BOOT_LINK_BYTES = 511;

function linkFindings(tree: Directory): Finding[] {
  const findings: Finding[] = [];
  const isLong = (node: Node): node is Symlink => node.type === "symlink" && node.target.length > MAX_BOOT_LINK_BYTES;
  if (!someNode(tree, isLong)) return findings;
  for (const { path, node } of walk(tree)) {
    if (!isLong(node) || !isBootPath(path)) continue;
    const message = `${path}: a link of ${node.target.length} bytes; the boot-time reader takes ${MAX_BOOT_LINK_BYTES}`;
    findings.push({ code: "boot-link", severity: "error", path, message });
  }
  return findings;
}
