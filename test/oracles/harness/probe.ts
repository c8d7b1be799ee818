// The boot probe (fixtures/probe): started in QEMU, and its records read. What each record means: fixtures/probe/main.c.

import { probePath } from "../../../fixtures/boot-files.ts";
import { type ListedPath, type Listing, parsePathRecord, toListing, unescapeBytes } from "./listing.ts";
import { type Machine, type MachineResult, runMachine } from "./qemu.ts";

export interface ProbeModule {
  readonly index: number;
  readonly address: number;
  readonly size: number;
  /** Eight hex digits. */
  readonly crc32: string;
  readonly format: "ufs" | "gzip" | "other";
  /** Its type= word, or what dboot makes of a module without one: rootfs, hash, file. */
  readonly type: string;
  readonly cmdline: string;
  /** With format "ufs": every path, digests are CRC-32. */
  readonly listing: Listing | undefined;
  /** With format "ufs": fields of the superblock as printed, e.g. fs_clean -> "1", "fs_state+fs_time" -> "0x7c269d38". */
  readonly superblock: ReadonlyMap<string, string>;
  /** With format "ufs": files, directories, symlinks, devices, others, bytes, errors. */
  readonly summary: ReadonlyMap<string, number>;
}

export interface ProbeReport {
  readonly protocol: "multiboot1" | "multiboot2" | "unknown";
  readonly loader: string;
  readonly cmdline: string;
  readonly modules: readonly ProbeModule[];
  readonly sha1: readonly {
    readonly module: number;
    readonly digest: string;
    readonly verdict: "match" | "mismatch";
  }[];
  /** Of the illumos loader. */
  readonly environment: ReadonlyMap<string, string>;
  readonly errors: readonly string[];
  /** "none": the probe did not come to its end. */
  readonly verdict: "good" | "bad" | "none";
}

/**
 * Reads the probe's records out of a serial log; what firmware and boot loader wrote before is skipped.
 * @throws Error with the log's end when the probe did not start, or a record is broken
 */
export function parseProbe(serial: string): ProbeReport {
  const start = serial.search(/^probe 1 /m);
  if (start < 0) throw new Error(`the boot probe did not start; the serial line ends in:\n${serial.slice(-2000)}`);
  let [protocol, loader, cmdline, verdict] = ["unknown", "", "", "none"];
  const modules: OpenModule[] = [];
  const sha1: ProbeReport["sha1"][number][] = [];
  const environment = new Map<string, string>();
  const errors: string[] = [];
  const readers: Readonly<Record<string, (line: string) => void>> = {
    probe: (line) => {
      protocol = words(line).get("protocol") ?? protocol;
      loader = quoted(line) ?? loader;
    },
    "probe:": (line) => {
      verdict = words(line).get("verdict") ?? verdict;
    },
    cmdline: (line) => {
      cmdline = quoted(line) ?? "";
    },
    module: (line) => {
      modules.push({ figures: parseModule(line), superblock: new Map(), summary: new Map(), paths: [] });
    },
    superblock: (line) => {
      const module = modules.at(-1);
      if (module) module.superblock = words(line);
    },
    path: (line) => {
      modules.at(-1)?.paths.push(parsePathRecord(line));
    },
    summary: (line) => {
      const module = modules.at(-1);
      if (module) module.summary = new Map([...words(line)].map(([key, value]) => [key, Number(value)]));
    },
    sha1: (line) => {
      const fields = words(line);
      const matches = fields.get("verdict") === "match";
      sha1.push({
        module: Number(fields.get("module")),
        digest: fields.get("digest") ?? "",
        verdict: matches ? "match" : "mismatch",
      });
    },
    environment: (line) => {
      const text = unescapeBytes(line.slice("environment ".length));
      const equals = text.indexOf("=");
      environment.set(text.slice(0, equals), text.slice(equals + 1));
    },
    error: (line) => {
      errors.push(line.slice("error ".length));
    },
  };
  for (const line of serial.slice(start).split("\n")) readers[line.slice(0, line.indexOf(" "))]?.(line);
  return {
    protocol: protocol as ProbeReport["protocol"],
    loader,
    cmdline,
    modules: modules.map(({ figures, superblock, summary, paths }) => {
      return { ...figures, superblock, summary, listing: figures.format === "ufs" ? toListing(paths) : undefined };
    }),
    sha1,
    environment,
    errors,
    verdict: verdict as ProbeReport["verdict"],
  };
}

type ModuleFigures = Omit<ProbeModule, "listing" | "superblock" | "summary">;

interface OpenModule {
  readonly figures: ModuleFigures;
  superblock: Map<string, string>;
  summary: Map<string, number>;
  readonly paths: ListedPath[];
}

function parseModule(line: string): ModuleFigures {
  const fields = words(line);
  return {
    index: Number(line.split(" ", 2)[1]),
    address: Number(fields.get("address")),
    size: Number(fields.get("size")),
    crc32: fields.get("crc32") ?? "",
    format: fields.get("format") as ProbeModule["format"],
    type: fields.get("type") ?? "",
    cmdline: quoted(line) ?? "",
  };
}

/** The key=value words of a record, up to a quoted field. */
function words(line: string): Map<string, string> {
  const pairs = (line.split('"', 1)[0] ?? "").split(" ").filter((word) => word.includes("="));
  return new Map(pairs.map((word) => [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)]));
}

function quoted(line: string): string | undefined {
  const text = /"([^"]*)"/.exec(line)?.[1];
  return text === undefined ? undefined : unescapeBytes(text);
}

/** A machine with the probe as kernel: no boot loader, only the probe's own reader judges the image. */
export function probeImage(image: string, options: Machine & { readonly hash?: string } = {}): Promise<ProbeRun> {
  const { hash, ...machine } = options;
  const modules = [{ path: image, arguments: "type=rootfs" }];
  if (hash !== undefined) modules.push({ path: hash, arguments: "type=hash" });
  return bootProbe({ ...machine, kernel: probePath(), modules });
}

export interface ProbeRun extends ProbeReport {
  readonly machine: MachineResult;
}

/**
 * Boots a machine that is to end in the probe, and gives its report.
 * @throws Error when the probe did not start or did not come to its end
 */
export async function bootProbe(machine: Machine): Promise<ProbeRun> {
  const result = await runMachine(machine);
  const report = parseProbe(result.serial);
  if (report.verdict === "none") {
    const how = result.stopped ?? `exit status ${result.status}`;
    throw new Error(`the boot probe did not come to its end (${how}):\n${result.serial.slice(-1000)}${result.stderr}`);
  }
  return { ...report, machine: result };
}
