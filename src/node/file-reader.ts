// Files read on other threads, several at a time, where that pays: a disk that has to look for each file is kept busy with
// several, and the thread that plans and writes does not wait for it. Files that the page cache holds are read faster here.
// What is asked for in one go (the files of one window of an image) is one request to a thread: a message costs as much as
// reading a small file.

import { directReader, type HostRange, type HostReader } from "./host-files.ts";
import type { ReadRequest } from "./read-thread.ts";
import { compiledModule, createThreadPool } from "./thread-pool.ts";

export interface FileReader extends HostReader {
  close(): Promise<void>;
}

export interface FileReaderOptions {
  /** Default 4. 0 reads on the calling thread, always. */
  readonly threads?: number | undefined;
}

const DEFAULT_THREADS = 4;
/** Waiting for the disk that is put up with before threads are started, which takes about as long. */
const PATIENCE_MS = 100;
/** What a read from the page cache takes: opening and closing, and the copy. */
const OPEN_MS = 0.05;
const COPY_BYTES_A_MS = 500_000;

/** Reads that the disk had to make for this process so far. A busy machine makes us wait as well, and threads would not help. */
const diskReads = (): number => process.resourceUsage().fsRead;
/** A request is sent when it is as large as this, or when no more reads are asked for at the moment. */
const REQUEST_BYTES = 1 << 18;

export function createFileReader({ threads = DEFAULT_THREADS }: FileReaderOptions = {}): FileReader {
  const file = threads > 0 ? compiledModule("read-thread") : undefined;
  if (file === undefined) return { ...directReader, async close() {} };
  return threadedReader(file, threads, PATIENCE_MS);
}

const isShared = ({ buffer }: Uint8Array): boolean => buffer instanceof SharedArrayBuffer;

interface Read {
  readonly range: HostRange;
  readonly target: Uint8Array;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Exported for tests: `file` is the threads' script; threads are asked when `patienceMs` were waited and `readsOfDisk` rose. */
export function threadedReader(
  file: string,
  threads: number,
  patienceMs: number,
  readsOfDisk: () => number = diskReads,
): FileReader {
  const pool = createThreadPool<ReadRequest, void>({ file, threads, what: "reading" });
  const spare: SharedArrayBuffer[] = [];
  let waitedMs = 0;
  let isDiskSlow = patienceMs === 0;
  const readsBefore = readsOfDisk();
  let reads: Read[] = [];
  let readsBytes = 0;

  const send = (): void => {
    const sent = reads;
    const sizeBytes = readsBytes;
    reads = [];
    readsBytes = 0;
    if (sent.length > 0) void answer(sent, sizeBytes);
  };

  const answer = async (sent: readonly Read[], sizeBytes: number): Promise<void> => {
    try {
      // Memory that is shared is filled where it is; for other memory the bytes are brought in a room of ours.
      const room = sent.some(({ target }) => !isShared(target)) ? takeRoom(sizeBytes) : undefined;
      let at = 0;
      const views = sent.map(({ target }) => {
        if (room === undefined || isShared(target)) return target;
        at += target.length;
        return new Uint8Array(room, at - target.length, target.length);
      });
      await pool.run(sent.map(({ range }, i) => ({ ...range, target: views[i] as Uint8Array }))); // as many views as reads
      sent.forEach(({ target, resolve }, i) => {
        if (views[i] !== target) target.set(views[i] as Uint8Array);
        resolve();
      });
      if (room) spare.push(room);
    } catch (error) {
      for (const { reject } of sent) reject(error);
    }
  };
  const takeRoom = (sizeBytes: number): SharedArrayBuffer => {
    const room = spare.pop();
    return room && room.byteLength >= sizeBytes ? room : new SharedArrayBuffer(Math.max(sizeBytes, REQUEST_BYTES));
  };

  return {
    read(range, target) {
      if (!isDiskSlow) {
        const begun = performance.now();
        const reading = directReader.read(range, target);
        waitedMs += Math.max(0, performance.now() - begun - OPEN_MS - target.length / COPY_BYTES_A_MS);
        if (waitedMs >= patienceMs) {
          isDiskSlow = readsOfDisk() > readsBefore;
          waitedMs = 0;
        }
        return reading;
      }
      return new Promise((resolve, reject) => {
        if (reads.length === 0) queueMicrotask(send);
        reads.push({ range, target, resolve, reject });
        readsBytes += target.length;
        if (readsBytes >= REQUEST_BYTES) send();
      });
    },
    close: () => pool.close(),
  };
}
