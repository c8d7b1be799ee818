// Which Perl and Python a proto area was built for. A gate's manifests say it by macros ($(PERL_VERSION) …) whose values
// are in its makefiles, and those differ from year to year; the directories of the proto area tell them.

import { type Directory, lookup } from "../tree/index.ts";
import { compareVersions } from "./manifests.ts";

/** Values for readManifests (`macros`); none for an interpreter that the proto area has no directory of. */
export function interpreterMacros(tree: Directory): Record<string, string> {
  return { ...perlMacros(tree), ...pythonMacros(tree) };
}

function perlMacros(tree: Directory): Record<string, string> {
  const version = versionsIn(tree, "/usr/perl5", /^(\d+\.\d+(?:\.\d+)?)$/)[0];
  if (version === undefined) return {};
  const architectures = names(tree, `/usr/perl5/${version}/lib`);
  const [of32, of64] = [/-64int$/, /-64$/].map((pattern) => architectures.find((name) => pattern.test(name)));
  return {
    PERL_VERSION: version,
    PERL_PKGVERS: packageSuffix(version),
    ...(of32 !== undefined && { PERL_ARCH: of32, BUILDPERL32: "" }),
    ...(of64 !== undefined && { PERL_ARCH64: of64, BUILDPERL64: "" }),
    ...(of64 !== undefined && of32 === undefined && { BUILDPERL32: "#" }),
  };
}

function pythonMacros(tree: Directory): Record<string, string> {
  const versions = versionsIn(tree, "/usr/lib", /^python(\d+\.\d+)$/);
  const [second] = versions.filter((version) => version.startsWith("2."));
  const [third, other] = versions.filter((version) => version.startsWith("3."));
  return {
    ...(second !== undefined && { PYTHON_VERSION: second, PYTHON_PKGVERS: packageSuffix(second), python2_ONLY: "" }),
    ...(third !== undefined && { PYTHON3_VERSION: third, PYTHON3_PKGVERS: packageSuffix(third), python3_ONLY: "" }),
    ...(other !== undefined && { PYTHON3b_VERSION: other, PYTHON3b_PKGVERS: packageSuffix(other), python3b_ONLY: "" }),
  };
}

/** "5.10.0" → "-510", as in pkg:/runtime/perl-510. */
function packageSuffix(version: string): string {
  return `-${version.split(".").slice(0, 2).join("")}`;
}

/** The versions that names of a directory speak of, the newest first. */
function versionsIn(tree: Directory, path: string, pattern: RegExp): string[] {
  return names(tree, path)
    .flatMap((name) => pattern.exec(name)?.[1] ?? [])
    .sort((a, b) => compareVersions(b, a));
}

function names(tree: Directory, path: string): string[] {
  const node = lookup(tree, path);
  return node?.type === "directory" ? [...node.entries.keys()].sort() : [];
}
