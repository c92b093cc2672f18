import { readlinkSync } from "node:fs";
import { setPriority } from "node:os";
import { type MessagePort, type Transferable, workerData } from "node:worker_threads";
import { messageOf, type Reason, ServiceError } from "./errors.js";

/** What a thread made of a request. */
export interface ThreadAnswer<Result> {
  readonly result: Result;
  /** That it took, waiting left out. */
  readonly ms: number;
}

/** `error` says what was thrown, `reason` what for where it was a ServiceError. */
export type ThreadReply<Result> =
  | ({ readonly kind: "done" } & ThreadAnswer<Result>)
  | { readonly kind: "failed"; readonly error: string; readonly reason: Reason | undefined };

/** Of the threads that compute; 0 is that of all others. With 5, refusals wait for them at times; with 19, they for calls (docs/decisions.md 74). */
const NICE = 10;

/** What a thread is given when it starts. */
export interface ThreadStart<Options = unknown> {
  /** Requests come and replies go by it: Node's own port to a thread looks into the environment for each message. */
  readonly port: MessagePort;
  readonly options: Options;
}

/** In a thread: answers what it is asked, one at a time, in that order. `transferred` is handed over with a result instead of being copied. */
export function answerRequests<Request, Result>(
  handle: (request: Request) => Promise<Result>,
  transferred: (result: Result) => readonly Transferable[] = () => [],
): void {
  const { port } = workerData as ThreadStart;
  /** Resolves when all requests so far are answered: one that comes while another is under way waits for it. */
  let answered: Promise<void> = Promise.resolve();
  const answer = async (request: Request): Promise<void> => {
    const startedMs = performance.now();
    try {
      const result = await handle(request);
      const reply = { kind: "done", result, ms: performance.now() - startedMs } as const;
      port.postMessage(reply, transferred(result));
    } catch (error) {
      const reason = error instanceof ServiceError ? error.reason : undefined;
      port.postMessage({ kind: "failed", error: messageOf(error), reason });
    }
  };
  port.on("message", (request: Request) => {
    answered = answered.then(() => answer(request));
  });
}

/**
 * In a thread: where all cores are busy the thread that takes calls, gives batches out and refuses what is too much must not wait for those that compute.
 * Linux has a priority for each thread; those that this one starts take it from it.
 */
export function yieldToOthers(): void {
  if (process.platform !== "linux") return;
  try {
    const thread = readlinkSync("/proc/thread-self").split("/").at(-1);
    setPriority(Number(thread), NICE);
  } catch {
    // Without /proc, or where it is forbidden: all threads are equal then.
  }
}
