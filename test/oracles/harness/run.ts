// Runs a program to its end, in a process group of its own, so that nothing it started outlives a timeout or the test.

import { type ChildProcess, spawn } from "node:child_process";

export interface RunOptions {
  readonly cwd?: string;
  /** Added to this process' environment; the locale is C unless set here. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: Uint8Array | string;
  /** Default two minutes. */
  readonly timeoutMilliseconds?: number;
  /** Of stdout, of stderr; default 64 MiB. Beyond it the program is stopped. */
  readonly outputLimitBytes?: number;
  readonly signal?: AbortSignal;
}

export interface RunResult {
  /** Exit status, or null when a signal ended it. */
  readonly status: number | null;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly milliseconds: number;
  /** Why it was stopped, if it did not end by itself. */
  readonly stopped: "timeout" | "limit" | "aborted" | undefined;
}

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) killGroup(child);
});

export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const limit = options.outputLimitBytes ?? 64 * 1024 * 1024;
  const started = performance.now();
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, LC_ALL: "C", TZ: "UTC", ...options.env },
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
  running.add(child);
  return new Promise((resolve, reject) => {
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    let outBytes = 0;
    let errBytes = 0;
    let stopped: RunResult["stopped"];
    const stop = (why: RunResult["stopped"]) => {
      stopped ??= why;
      killGroup(child);
    };
    const timer = setTimeout(() => stop("timeout"), options.timeoutMilliseconds ?? 120_000);
    const abort = () => stop("aborted");
    options.signal?.addEventListener("abort", abort, { once: true });
    if (options.signal?.aborted) abort();
    child.stdout.on("data", (piece: Buffer) => {
      out.push(piece);
      outBytes += piece.length;
      if (outBytes > limit) stop("limit");
    });
    child.stderr.on("data", (piece: Buffer) => {
      err.push(piece);
      errBytes += piece.length;
      if (errBytes > limit) stop("limit");
    });
    child.stdin.on("error", () => {}); // it may end without reading its input
    child.stdin.end(options.input ?? "");
    const finish = () => {
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", abort);
      running.delete(child);
    };
    child.on("error", (error) => {
      finish();
      reject(error);
    });
    child.on("close", (status) => {
      finish();
      const milliseconds = Math.round(performance.now() - started);
      resolve({ status, stdout: Buffer.concat(out), stderr: Buffer.concat(err), milliseconds, stopped });
    });
  });
}

/**
 * Stdout as a byte string (latin1) of a program that must succeed.
 * @throws Error with the command and its stderr when the exit status is not 0 or it was stopped
 */
export async function runText(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const result = await run(program, args, options);
  if (result.status !== 0 || result.stopped !== undefined) {
    const how = result.stopped ?? `exit status ${result.status}`;
    throw new Error(`${program} ${args.join(" ")}: ${how}\n${result.stderr.toString("latin1").slice(-4000)}`);
  }
  return result.stdout.toString("latin1");
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // it has ended already
  }
}
