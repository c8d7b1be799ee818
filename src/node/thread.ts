// The other end of thread-pool.ts: what a thread's script calls.

import { parentPort } from "node:worker_threads";
import { type ErrorCode, ImageError } from "../bytes/index.ts";

export interface ThreadRequest<Request> {
  readonly id: number;
  readonly request: Request;
}

export type ThreadAnswer<Answer> =
  | { readonly id: number; readonly answer: Answer }
  | {
      readonly id: number;
      readonly error: {
        readonly code: ErrorCode | undefined;
        readonly message: string;
        readonly path: string | undefined;
      };
    };

/** Answers each request by `handle`, which also names the buffers in the answer that are to be transferred. */
export function answerRequests<Request, Answer>(
  handle: (request: Request) => readonly [Answer, readonly ArrayBuffer[]],
): void {
  const send = (answer: ThreadAnswer<Answer>, transfer: readonly ArrayBuffer[]): void =>
    parentPort?.postMessage(answer, transfer);
  parentPort?.on("message", ({ id, request }: ThreadRequest<Request>) => {
    try {
      const [answer, transfer] = handle(request);
      send({ id, answer }, transfer);
    } catch (error) {
      const { code, path } = error instanceof ImageError ? error : { code: undefined, path: undefined };
      send({ id, error: { code, message: error instanceof Error ? error.message : String(error), path } }, []);
    }
  });
}
