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

/** Answers each request by `handle`. */
export function answerRequests<Request, Answer>(handle: (request: Request) => Answer): void {
  const send = (answer: ThreadAnswer<Answer>): void => parentPort?.postMessage(answer);
  parentPort?.on("message", ({ id, request }: ThreadRequest<Request>) => {
    try {
      send({ id, answer: handle(request) });
    } catch (error) {
      const { code, path } = error instanceof ImageError ? error : { code: undefined, path: undefined };
      send({ id, error: { code, message: error instanceof Error ? error.message : String(error), path } });
    }
  });
}
