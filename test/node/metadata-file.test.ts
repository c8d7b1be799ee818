// --metadata: what a build says of itself, held against digests of the files themselves, the schema of CycloneDX as its authors
// publish it, and the rules of in-toto and SLSA.

import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { Ajv } from "ajv";
import formats from "ajv-formats";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Content, memoryContent, readAll } from "../../src/bytes/index.ts";
import * as archiveCommand from "../../src/cli/archive.ts";
import { contentDigests } from "../../src/image/index.ts";
import { type ArchiveJob, buildArchiveFile, buildIsoFile, createHasher } from "../../src/node/index.ts";
import { directory, file, type Node } from "../../src/tree/index.ts";
import { runCommand } from "../cli/in-process.ts";
import { fileAction, p5p } from "../source/repositories.ts";

const scratch = mkdtempSync(path.join(tmpdir(), "pureboot-metadata-"));
const at = (name: string): string => path.join(scratch, name);
const sha256 = (bytes: Uint8Array | string): string => createHash("sha256").update(bytes).digest("hex");
const host = { workers: 0 };

const MANIFEST = `set name=pkg.fmri value=pkg:/system/core@1.2,5.11-2026.1
set name=pkg.summary value="What everything needs"
dir path=etc owner=root group=sys mode=0755
dir path=kernel owner=root group=sys mode=0755
dir path=kernel/drv owner=root group=sys mode=0755
file path=etc/inittab owner=root group=sys mode=0644
file path=kernel/drv/e1000g owner=root group=sys mode=0755
file path=etc/trimmed owner=root group=sys mode=0644
hardlink path=etc/inittab2 target=inittab
link path=etc/init target=../sbin/init
driver name=e1000g alias=pci8086,100e
license lic_CDDL license=lic_CDDL
license usr/src/tool/THIRDPARTYLICENSE license=usr/src/tool/THIRDPARTYLICENSE
`;
const TOOLS = `set name=pkg.fmri value=pkg:/tools@3
dir path=usr owner=root group=sys mode=0755
file path=usr/tool owner=root group=bin mode=0555
depend type=require fmri=pkg:/system/core
depend type=require fmri=__TBD
`;

beforeAll(() => {
  for (const folder of ["proto/etc", "proto/kernel/drv", "proto/usr", "pkg", "out"])
    mkdirSync(at(folder), { recursive: true });
  writeFileSync(at("proto/etc/inittab"), "smf::sysinit:/lib/svc/bin/svc.startd\n");
  writeFileSync(at("proto/etc/trimmed"), "not in the image");
  writeFileSync(at("proto/etc/passwd"), "root:x:0:0::/:/sbin/sh\n");
  writeFileSync(at("proto/etc/group"), "root::0:\nbin::2:\nsys::3:\n");
  writeFileSync(at("proto/kernel/drv/e1000g"), Buffer.alloc(3_000_000, "driver "));
  writeFileSync(at("proto/usr/tool"), "");
  writeFileSync(at("proto/usr/loose"), "in no package");
  symlinkSync("../sbin/init", at("proto/etc/init"));
  writeFileSync(at("pkg/core.p5m"), MANIFEST);
  writeFileSync(at("pkg/tools.p5m"), TOOLS);
  writeFileSync(at("start.sh"), "echo started\n");
});
beforeEach(() => {
  rmSync(at("out"), { recursive: true });
  mkdirSync(at("out"));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

type Json = ReturnType<typeof JSON.parse>;
const written = (name = "out/m.json"): Json => JSON.parse(readFileSync(at(name), "utf8"));
const words = (...more: string[]): string[] => [
  ...[
    at("proto"),
    "-o",
    at("out/a"),
    "--manifests",
    at("pkg"),
    "--remove",
    "etc/trimmed",
    "--metadata",
    at("out/m.json"),
  ],
  ...["--startup", at("start.sh"), "--add", `etc/motd=${at("start.sh")}`, "--init", "shell", "--workers", "0", ...more],
];

/**
 * What in-toto's specification says to run in a directory:
 * find . -type f | cut -c3- | LC_ALL=C sort | xargs -r sha256sum | sha256sum | cut -f1 -d' '
 */
function dirHash(folder: string): string {
  const files = readdirSync(at(folder), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const names = files.map((entry) => path.relative(at(folder), path.join(entry.parentPath, entry.name))).sort();
  const lines = names.map((name) => `${sha256(readFileSync(at(`${folder}/${name}`)))}  ${name}\n`);
  return sha256(lines.join(""));
}

test("inputs and outputs, with their digests", async () => {
  expect((await runCommand(archiveCommand, ...words("--hash", "--no-gzip"))).status).toBe(0);
  const { command, inputs, outputs, options, provenance } = written();
  expect(command).toBe("archive");
  const script = sha256("echo started\n");
  expect(inputs).toEqual([
    { name: at("proto"), role: "source", sizeBytes: 3_000_114, files: 7, digest: { dirHash: dirHash("proto") } },
    {
      name: at("pkg"),
      role: "manifests",
      sizeBytes: MANIFEST.length + TOOLS.length,
      files: 2,
      digest: { dirHash: dirHash("pkg") },
    },
    { name: "startup", role: "startup", sizeBytes: 13, digest: { sha256: script } },
    { name: "etc/motd", role: "add", sizeBytes: 13, digest: { sha256: script } },
  ]);
  const [archive, hash] = ["out/a", "out/a.hash"].map((name) => readFileSync(at(name)));
  expect(outputs).toEqual([
    { name: "a", role: "archive", sizeBytes: archive?.length, digest: { sha256: sha256(archive ?? "") } },
    { name: "a.hash", role: "hash", sizeBytes: 41, digest: { sha256: sha256(hash ?? "") } },
  ]);
  expect(options).toMatchObject({ init: "shell", edits: ["--remove etc/trimmed", "--add etc/motd"] });
  // the ramdisk is written as it is: its SHA-1 is the hash file's
  const ramdisk = provenance.predicate.runDetails.byproducts[0];
  expect(`${ramdisk.digest.sha1}\n`).toBe(hash?.toString());
  expect(readdirSync(at("out")).sort()).toEqual(["a", "a.hash", "m.json"]);
});

test("the same build says the same, wherever and with however many threads", async () => {
  await runCommand(archiveCommand, ...words());
  const once = readFileSync(at("out/m.json"), "utf8");
  mkdirSync(at("out/elsewhere"));
  const again = words("-o", at("out/elsewhere/a"), "--metadata", at("out/elsewhere/n.json"), "--workers", "2");
  await runCommand(archiveCommand, ...again);
  expect(readFileSync(at("out/elsewhere/n.json"), "utf8")).toBe(once);
});

test("the statement is one of in-toto, its predicate one of SLSA", async () => {
  const job = { sources: [at("proto")], output: at("out/x.iso"), metadata: at("out/m.json") };
  const report = await buildIsoFile(job, { loader: "none" }, host);
  const { provenance, outputs, inputs, options } = written();
  expect(provenance).toMatchObject({
    _type: "https://in-toto.io/Statement/v1",
    predicateType: "https://slsa.dev/provenance/v1",
  });
  expect(Object.keys(provenance).sort()).toEqual(["_type", "predicate", "predicateType", "subject"]);
  expect(provenance.subject).toEqual([{ name: "x.iso", digest: { sha256: report.sha256 } }]);
  expect(outputs[0].digest.sha256).toBe(sha256(readFileSync(at("out/x.iso"))));
  const { buildDefinition, runDetails } = provenance.predicate;
  for (const uri of [buildDefinition.buildType, runDetails.builder.id])
    expect(uri).toMatch(/^pkg:npm\/pureboot@\d+\.\d+\.\d+/);
  expect(buildDefinition.externalParameters).toEqual(options);
  expect(options.epochSeconds).toBe(report.epochSeconds);
  expect(buildDefinition.resolvedDependencies).toHaveLength(inputs.length);
  // ResourceDescriptor: one of uri, digest, content; digests are lower-case hex of their length
  const lengths: Record<string, number> = { sha256: 64, sha1: 40, dirHash: 64 };
  for (const { name, digest } of [
    ...buildDefinition.resolvedDependencies,
    ...runDetails.byproducts,
    ...provenance.subject,
  ]) {
    expect(name).not.toBe("");
    const [[algorithm, hex] = ["", ""], ...more] = Object.entries<string>(digest);
    expect(more).toEqual([]);
    expect(hex).toMatch(new RegExp(`^[0-9a-f]{${lengths[algorithm]}}$`));
  }
  for (const version of Object.values(runDetails.builder.version)) expect(version).toMatch(/^\d+\.\d+\.\d+/);
  expect(Object.keys(runDetails.builder.version)).toEqual(["pureboot", "pako", "picomatch"]);
  expect(written().sbom).toBeUndefined(); // no packages, no list of them
  expect(JSON.stringify(written())).not.toMatch(/20\d\d-\d\d-\d\dT/);
});

test("the bill of materials keeps to CycloneDX' schema, and says what the packages say", async () => {
  await runCommand(archiveCommand, ...words());
  const { sbom, outputs } = written();
  expect(schemaErrors(sbom)).toEqual([]);
  expect(schemaErrors({ ...sbom, specVersion: "1.5", serialNumber: "urn:uuid:1" })).not.toEqual([]);
  expect(sbom.metadata.component.hashes[0].content).toBe(outputs[0].digest.sha256);
  const [core, tools, loose] = sbom.components;
  const hashes = (bytes: Uint8Array | string) => [{ alg: "SHA-256", content: sha256(bytes) }];
  expect(core).toMatchObject({
    type: "device-driver",
    "bom-ref": "pkg:/system/core@1.2,5.11-2026.1",
    name: "system/core",
    version: "1.2,5.11-2026.1",
    description: "What everything needs",
    licenses: [{ license: { id: "CDDL-1.0" } }, { license: { name: "usr/src/tool/THIRDPARTYLICENSE" } }],
    properties: [{ name: "pureboot:driver", value: "e1000g" }],
  });
  // what was trimmed is not there, and of what the build changed the bytes are those of the image
  expect(core.components.map(({ name }: Json) => name)).toEqual([
    "/etc/inittab",
    "/kernel/drv/e1000g",
    "/etc/inittab2",
  ]);
  expect(core.components[1].hashes).toEqual(hashes(Buffer.alloc(3_000_000, "driver ")));
  expect(core.components[0].hashes).not.toEqual(hashes("smf::sysinit:/lib/svc/bin/svc.startd\n"));
  expect(tools).toMatchObject({
    type: "library",
    name: "tools",
    components: [{ name: "/usr/tool", hashes: hashes("") }],
  });
  expect(tools.licenses).toBeUndefined();
  const others = new Map(loose.components.map(({ name, hashes: own }: Json) => [name, own]));
  expect(others.get("/usr/loose")).toEqual(hashes("in no package"));
  expect(others.get("/etc/motd")).toEqual(hashes("echo started\n"));
  expect(others.has("/usr/tool")).toBe(false);
  expect(sbom.dependencies).toEqual([
    { ref: "image", dependsOn: [core["bom-ref"], "pkg:/tools@3", "unpackaged"] },
    { ref: core["bom-ref"], dependsOn: [] },
    { ref: "pkg:/tools@3", dependsOn: [core["bom-ref"]] },
  ]);
});

test("sources that are packages are told as such; an archive by its own digest", async () => {
  const lines = [
    "dir group=sys mode=0755 owner=root path=etc",
    fileAction("etc/passwd", "root:x:0:0::/:/sbin/sh\n"),
    fileAction("etc/group", "root::0:\nbin::2:\nsys::3:\n"),
    "license lic_CDDL license=lic_CDDL",
  ];
  const payloads = ["root:x:0:0::/:/sbin/sh\n", "root::0:\nbin::2:\nsys::3:\n"];
  const bytes = await readAll(p5p({ packages: { "system/core@1.0,5.11-1:20200101T000000Z": lines }, payloads }));
  writeFileSync(at("core.p5p"), bytes);
  mkdirSync(at("over/etc"), { recursive: true });
  writeFileSync(at("over/etc/passwd"), "root:x:0:0::/root:/sbin/sh\n");
  const job: ArchiveJob = {
    adjuncts: [at("pkg")],
    sources: [at("core.p5p")],
    overlays: [at("over")],
    output: at("out/a"),
    metadata: at("out/m.json"),
    gzip: true,
    hash: false,
  };
  await buildArchiveFile(job, { init: "keep" }, host);
  const { inputs, sbom } = written();
  expect(inputs).toEqual([
    expect.objectContaining({ name: at("pkg"), role: "adjunct", digest: { dirHash: dirHash("pkg") } }),
    { name: at("core.p5p"), role: "source", sizeBytes: bytes.length, digest: { sha256: sha256(bytes) } },
    expect.objectContaining({ name: at("over"), role: "overlay", files: 1, digest: { dirHash: dirHash("over") } }),
  ]);
  expect(schemaErrors(sbom)).toEqual([]);
  expect(sbom.components[0]).toMatchObject({
    "bom-ref": "pkg:/system/core@1.0,5.11-1:20200101T000000Z",
    licenses: [{ license: { id: "CDDL-1.0" } }],
    components: [{ name: "/etc/group" }], // passwd is the overlay's
  });
  const others: string[] = sbom.components[1].components.map(({ name }: Json) => name);
  expect(others.filter((name) => /passwd|p5m/.test(name))).toEqual(["/core.p5m", "/etc/passwd", "/tools.p5m"]);
});

test("a build that fails leaves no metadata; nor does one that was only planned", async () => {
  const failing = await runCommand(archiveCommand, ...words("--size", "1m"));
  expect(failing.status).toBe(1);
  expect(readdirSync(at("out"))).toEqual([]);
  const planned = await runCommand(archiveCommand, ...words("--dry-run"));
  expect([planned.status, planned.stderr]).toEqual([2, expect.stringMatching(/--metadata says what was written/)]);
  const same = await runCommand(archiveCommand, ...words("--metadata", at("out/a")));
  expect([same.status, same.stderr]).toEqual([1, expect.stringMatching(/a: is the output too/)]);
  const inside = await runCommand(archiveCommand, ...words("--metadata", at("proto/m.json")));
  expect([inside.status, inside.stderr]).toEqual([1, expect.stringMatching(/is inside/)]);
  expect(readdirSync(at("out"))).toEqual([]);
  writeFileSync(at("out/m.json"), "precious");
  const there = await runCommand(archiveCommand, ...words());
  expect([there.status, there.stderr]).toEqual([1, expect.stringMatching(/m\.json: exists already.*--force/)]);
  expect(readdirSync(at("out"))).toEqual(["m.json"]);
  expect(readFileSync(at("out/m.json"), "utf8")).toBe("precious");
});

test("files are read once where the image reads them in order, and else only for what is missing", async () => {
  const reads: [offset: number, length: number][] = [];
  const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);
  const plain = memoryContent(bytes);
  const counted: Content = {
    sizeBytes: bytes.length,
    async read(target, offset) {
      reads.push([offset, target.length]);
      await plain.read(target, offset);
    },
  };
  const watched = async (...ranges: [offset: number, length: number][]): Promise<string> => {
    const digests = contentDigests(createHasher);
    const attributes = { mode: 0o644, uid: 0, gid: 0, mtimeSeconds: 0 };
    const tree = digests.watch(directory(attributes, new Map<string, Node>([["f", file(attributes, counted)]])));
    const node = tree.entries.get("f");
    if (node?.type !== "file") throw new Error("a file stays a file");
    for (const [offset, length] of ranges) await node.content.read(new Uint8Array(length), offset);
    reads.length = 0; // those before were the image's
    return digests.sha256(node.content);
  };
  const whole = sha256(bytes);
  expect(await watched([0, 400], [400, 600])).toBe(whole);
  expect(reads).toEqual([]);
  expect(await watched([0, 64], [0, 700], [700, 300])).toBe(whole); // a look at the beginning, as at a kernel's header
  expect(reads).toEqual([]);
  expect(await watched([0, 400], [600, 400])).toBe(whole);
  expect(reads).toEqual([[400, 600]]);
  expect(await watched()).toBe(whole);
  expect(reads).toEqual([[0, 1000]]);
});

const require = createRequire(import.meta.url);
const schemas = path.join(path.dirname(require.resolve("@cyclonedx/cyclonedx-library/package.json")), "res/schema");
let validate: ReturnType<Ajv["compile"]> | undefined;

/** What the schema that CycloneDX' authors publish says against a document. */
function schemaErrors(document: unknown): unknown[] {
  validate ??= compileSchema();
  return validate(document) ? [] : (validate.errors ?? []);
}

function compileSchema(): ReturnType<Ajv["compile"]> {
  const load = (name: string): object => JSON.parse(readFileSync(path.join(schemas, name), "utf8"));
  const ajv = new Ajv({ strict: false, allErrors: true, formats: { "idn-email": true, "iri-reference": true } });
  formats.default(ajv);
  for (const name of ["spdx.SNAPSHOT.schema.json", "jsf-0.82.SNAPSHOT.schema.json"]) {
    ajv.addSchema(load(name), `http://cyclonedx.org/schema/${name}`);
  }
  return ajv.compile(load("bom-1.6.SNAPSHOT.schema.json"));
}
