import type { Work } from "./lanes.js";

/** Told what becomes of a thread; for the log. */
export type ReportThread = (
  event: "died" | "hangs" | "replaced" | "failed",
  detail: string,
) => void;

/** What sort of thread it is, and what its requests want. */
export interface ThreadKind<Request> {
  /** The file that it runs, which calls `answerRequests`. */
  readonly entry: URL;
  readonly name: string;
  /** Given to it when it starts, as `ThreadStart` has it. */
  readonly options?: unknown;
  /** Requests that a thread has at once: one that it works on, and with 2 one that it goes on with, without waiting for this thread. */
  readonly depth: number;
  /** They have no core that the event loop could have beside them: see Moderation. */
  readonly takesAllCores: boolean;
  /** Lanes share the threads' time evenly. */
  work(request: Request): Work;
  /** A lane outlives its jobs, with what is known of them, until `ThreadPool.forget`. */
  readonly lanesStay: boolean;
  /** What the request leaves in the thread, by name, and what a replacement is asked for so that it has the same. undefined: it leaves nothing. */
  leaves(request: Request): { readonly name: string; readonly again: Request } | undefined;
  /** Looks (LOOK_MS) that the request may last. Looks, not time: a process that was stopped for an hour has missed one. */
  mostLooks(request: Request): number;
  /** It may be ended while it works. */
  readonly isEndable: boolean;
  /** For who asked: what the thread has thrown; a ServiceError stays one. */
  refused(error: string): Error;
  /** For who asked: the thread died over it, or hangs; or no thread can be had. */
  lost(why: "died" | "hangs" | "none", cause?: unknown): Error;
}
