// What illumos-gate's own transforms say of owner, group, mode and zone, for manifests that come without their
// transforms directory. Where the directory is there, it is read instead (manifests.ts).
// Source: illumos-gate usr/src/pkg/transforms/{publish,facets,defaults,global_zone_only_component,hollow_zone_pkg}.

/** The order in which the gate's makefile names its transform files (usr/src/pkg/Makefile, PM_TRANSFORMS). */
export const TRANSFORM_ORDER = [
  "common_actions",
  "publish",
  "restart_fmri",
  "facets",
  "defaults",
  "extract_metadata",
] as const;

/** Below usr/share files are 0444, but in these (path prefixes, regular expressions) the owner may write. */
const WRITABLE_SHARE = [
  "doc/ksh/.",
  "ipfilter/.",
  "lib/(ccs|java|mailx|nterm|pub|sgml|slp|tabset|unittab|zoneinfo)/.",
  "lib/locale/com/sun/(?!dhcpmgr/)",
  "lib/locale/com/sun/dhcpmgr/.+\\.properties",
  "lib/t.",
  "src/grub/.",
].join("|");

const PAYLOAD = "dir file link hardlink";

/** The rules, in the transform language. `$(ARCH)` is the architecture. */
export const GATE_RULES = `
<transform set name=variant.arch value=^(?!$(ARCH)).+$ -> abort>
<transform set name=osnet.publish value=false -> abort>
<transform dir file link path=usr/(share|has)/man/ -> default facet.doc.man true>
<transform file path=.*kernel/drv/.+\\.conf -> default mode 0644>
<transform file path=.*kernel/drv/.+ -> default mode 0755>
<transform ${PAYLOAD} path=(.*kernel|boot)/ -> set variant.opensolaris.zone global>
<transform dir path=((.*/)?kernel|boot)$ -> set variant.opensolaris.zone global>
<transform file path=.*lib/.*\\.so -> default mode 0755>
<transform file path=usr/lib/help/. -> default mode 0444>
<transform file path=usr/share/(${WRITABLE_SHARE}) -> default mode 0644>
<transform file path=usr/share/. -> default mode 0444>
<transform file path=usr/has/man/. -> default mode 0444>
<transform dir path=usr/share(/lib)?$ -> default group sys>
<transform dir file -> default owner root>
<transform dir file -> default group bin>
<transform file -> default mode 0644>
<transform dir -> default mode 0755>
`;

/** Files that the gate's manifests include from its transforms directory. */
export const GATE_INCLUDES: ReadonlyMap<string, string> = new Map([
  [
    "global_zone_only_component",
    `
<transform ${PAYLOAD} path=.*/(man|include|mdb)/ -> default variant.opensolaris.zone __NODEFAULT>
<transform dir path=.*/(man|include|mdb)$ -> default variant.opensolaris.zone __NODEFAULT>
<transform ${PAYLOAD} -> default variant.opensolaris.zone global>
<transform ${PAYLOAD} -> delete variant.opensolaris.zone __NODEFAULT>
`,
  ],
  ["hollow_zone_pkg", `<transform driver ${PAYLOAD} -> set variant.opensolaris.zone global>\n`],
]);

/** Macros that the gate's makefiles define for pkgmogrify(1), for one architecture. `_ONLY` is "" to keep a line, "#" to drop it. */
export function gateMacros(architecture: string): Map<string, string> {
  const macros = new Map([
    ["ARCH", architecture],
    ["i386_ONLY", "#"],
    ["sparc_ONLY", "#"],
    ["PKGVERS_COMPONENT", "0.5.11"],
    ["PKGVERS_BUILTON", "5.11"],
    ["PKGVERS_BRANCH", "0.0.0"],
    ["PKGVERS", "$(PKGVERS_COMPONENT),$(PKGVERS_BUILTON)-$(PKGVERS_BRANCH)"],
    ["OPEN_BUILD", ""],
    // Which interpreters a gate builds for differs by year and distribution: these are of 2021 (interpreters.ts finds out).
    ["PERL_VERSION", "5.10.0"],
    ["PERL_PKGVERS", "-510"],
    ["PERL_ARCH", "i86pc-solaris-64int"],
    ["PERL_ARCH64", "i86pc-solaris-64"],
    ["BUILDPERL32", ""],
    ["BUILDPERL64", "#"],
    ["PYTHON_VERSION", "2.7"],
    ["PYTHON_PKGVERS", "-27"],
    ["PYTHON3_VERSION", "3.5"],
    ["PYTHON3_PKGVERS", "-35"],
    ["python2_ONLY", "#"],
    ["python3_ONLY", ""],
    ["python3b_ONLY", "#"],
  ]);
  macros.set(`${architecture}_ONLY`, "");
  const directories = { i386: ["i86", "amd64"], sparc: ["sparcv7", "sparcv9"] }[architecture];
  if (directories?.[0] !== undefined) macros.set("ARCH32", directories[0]);
  if (directories?.[1] !== undefined) macros.set("ARCH64", directories[1]);
  return macros;
}
