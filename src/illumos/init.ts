// init without SMF. svc.startd needs libraries that are not part of illumos itself (libxml2, openssl, zlib), so in a bare
// proto area init starts a script in its place. init knows the inittab entry with the id "smf" as the one it must keep
// alive: without it, it drops to sulogin; with it, it runs the command again whenever that ends (init.c).

/** Where the script is in the image. */
export const RC_PATH = "/etc/pureboot.rc";
/** Where commands of the user's own are kept. */
export const STARTUP_PATH = "/etc/pureboot.startup";

/** On the tmpfs that init mounts for itself: gone at the next boot, there when init runs the script again. */
const MARKER_PATH = "/etc/svc/volatile/pureboot.started";

export interface ShellInit {
  /** Printed on the console before the shell starts. */
  readonly message: string;
  /** The image holds STARTUP_PATH: run it once, before the shell. */
  readonly startup: boolean;
  /** Remount the root read-write. */
  readonly rw: boolean;
  /** The interactive shell, an absolute path in the image. */
  readonly shell: string;
}

/** The inittab with svc.startd replaced by our script. A second time it changes nothing. Byte strings. */
export function shellInittab(inittab: string): string {
  const kept = inittab
    .split("\n")
    .filter((line) => !line.includes("startd") && !line.startsWith("smf:"))
    .join("\n");
  return `${withNewline(kept)}smf::sysinit:${RC_PATH}\n`;
}

/** `text` ending in exactly the newline it needs before a line is appended. */
function withNewline(text: string): string {
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}

/** The script. It may run many times: init starts it again whenever the shell ends. */
export function rcScript({ message, startup, rw, shell }: ShellInit): string {
  const once = [
    ...(rw ? ["\t/etc/fs/ufs/mount -o remount,rw /devices/ramdisk:a /"] : []),
    ...(startup ? [`\t/sbin/sh ${STARTUP_PATH}`] : []),
  ];
  return [
    "#!/sbin/sh",
    "# Started by init in the place of svc.startd, and again whenever it ends.",
    "PATH=/usr/sbin:/usr/bin:/sbin",
    "HOME=/",
    "export PATH HOME",
    "exec </dev/console >/dev/console 2>&1",
    ...(once.length > 0 ? [`if [ ! -f ${MARKER_PATH} ]; then`, `\t: > ${MARKER_PATH}`, ...once, "fi"] : []),
    `printf '%s\\n' ${quote(message)}`,
    `exec ${shell} -i`,
    "",
  ].join("\n");
}

/** A text as one word of the shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Tunable that makes an NMI enter the kernel debugger, as the original script sets it. */
const NMI_TUNABLE = "set pcplusmp:apic_kmdb_on_nmi=1";

/** /etc/system with the tunable, once. */
export function systemFile(system: string): string {
  if (system.split("\n").some((line) => line.replace(/\s+/g, "") === NMI_TUNABLE.replace(" ", ""))) return system;
  return `${withNewline(system)}${NMI_TUNABLE}\n`;
}
