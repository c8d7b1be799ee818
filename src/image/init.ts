// What init starts in the image, and the tunable that comes with it.

import { byteString, bytesOf, fromText, ImageError, memoryContent, readAll } from "../bytes/index.ts";
import {
  prepareSmf,
  RC_PATH,
  rcScript,
  STARTUP_PATH,
  shellInittab,
  smfLibraries,
  systemFile,
} from "../illumos/index.ts";
import { type Attributes, type Directory, draft, file, findFile, resolve } from "../tree/index.ts";
import { DEFAULT_MESSAGE, type StageOptions } from "./options.ts";

export interface WithInit {
  readonly tree: Directory;
  readonly init: "shell" | "smf" | "keep";
  /** Paths that SMF needs and that were made. */
  readonly made: readonly string[];
}

/** Shells that can sit on the console, best first. */
const SHELLS = ["/usr/bin/ksh93", "/usr/bin/amd64/ksh93", "/usr/bin/ksh", "/sbin/sh", "/usr/bin/sh"];

/**
 * @throws ImageError "conflict" for options of a shell where there is none; "requirement" when SMF cannot run
 */
export async function withInit(tree: Directory, options: StageOptions, fresh: Attributes): Promise<WithInit> {
  const missing = smfLibraries(tree);
  const init = options.init === "auto" ? (missing.length === 0 ? "smf" : "shell") : options.init;
  if (init !== "shell" && (options.startup || options.rw || options.message !== undefined)) {
    throw new ImageError(
      "conflict",
      `--message, --startup and --rw belong to --init shell; with --init ${init} SMF does such things`,
    );
  }
  if (init === "smf" && missing.length > 0) {
    throw new ImageError(
      "requirement",
      `--init smf: svc.startd cannot run without ${missing.join(", ")}; add them with --adjunct DIR, or use --init shell`,
    );
  }
  if (init === "keep") return { tree, init, made: [] };
  const tuned = await rewritten(tree, "/etc/system", systemFile, fresh);
  if (init === "smf") return { ...(await prepareSmf(tuned, fresh)), init };
  return { tree: await withShell(tuned, options, fresh), init, made: [] };
}

async function withShell(tree: Directory, options: StageOptions, fresh: Attributes): Promise<Directory> {
  const shell = SHELLS.find((path) => findFile(tree, path) !== undefined) ?? "/sbin/sh";
  const script = rcScript({
    message: fromText(options.message ?? DEFAULT_MESSAGE),
    startup: options.startup !== undefined,
    rw: options.rw,
    shell,
  });
  const edit = draft(await rewritten(tree, "/etc/inittab", shellInittab, fresh));
  edit.put(RC_PATH, file({ ...fresh, mode: 0o755 }, memoryContent(bytesOf(script))));
  if (options.startup) edit.put(STARTUP_PATH, file({ ...fresh, mode: 0o755 }, options.startup));
  return edit.tree();
}

/** A text file with its text changed; made from nothing when it is not there. Links to it are followed. */
async function rewritten(
  tree: Directory,
  path: string,
  change: (text: string) => string,
  fresh: Attributes,
): Promise<Directory> {
  const found = findFile(tree, path);
  const text = found ? byteString(await readAll(found.content)) : "";
  const edit = draft(tree);
  const at = resolve(tree, path)?.path ?? path;
  edit.put(at, file(found ?? fresh, memoryContent(bytesOf(change(text)))), { ...fresh, mode: 0o755 });
  return edit.tree();
}
