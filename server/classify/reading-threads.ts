import { type Call, holderOf } from "../core/call.js";
import type { Clock } from "../core/clock.js";
import { ServiceError, StartupError } from "../core/errors.js";
import { EvenParts } from "../core/even-parts.js";
import type { ReportThread, ThreadKind } from "../core/thread-kind.js";
import { ThreadPool } from "../core/thread-pool.js";
import type { Tokenizer } from "../tokenize/tokenizer.js";
import { roomOf, type ServedModel } from "./model.js";
import type { Question, TimedReading } from "./reading.js";
import type { ReadingRequest, ReadingResult } from "./reading-messages.js";

/** UTF-16 code units from which on a text is worth the way to a thread and back. */
const LONG = 500;
/** Texts that may be in threads, or wait for one, without a question who sent them; each call has one at most. */
const MOST_TEXTS = 1024;
/** Looks that a text may last: ten seconds, a hundred times what the worst one is known to take. */
const MOST_LOOKS = 2;

const KIND: ThreadKind<ReadingRequest> = {
  entry: new URL("./reading-thread.js", import.meta.url),
  name: "sentiment-reading",
  // With one text a thread it is that text which a thread was lost over.
  depth: 1,
  takesAllCores: false,
  // Who sends many, or such as take long, gets no more of the threads for that.
  work: (request) =>
    request.kind === "read"
      ? { lane: request.holder, size: request.text.length }
      : { lane: "", size: 0 },
  lanesStay: false,
  leaves: (again) => (again.kind === "load" ? { name: again.digest, again } : undefined),
  mostLooks: ({ kind }) => (kind === "read" ? MOST_LOOKS : Number.POSITIVE_INFINITY),
  isEndable: true,
  refused: (error) => new StartupError(error),
  lost: (why, cause) =>
    why === "hangs"
      ? new ServiceError("DEADLINE", "The text takes too long to read: shorten it.")
      : new ServiceError("BACKEND_DOWN", "The thread that reads texts was lost.", {
          retryAfterMs: 1000,
          cause,
        }),
};

/** Reads long texts in threads of their own, so that none of them holds the event loop; keys share them evenly, and of a key first come, first served. */
export class ReadingThreads implements AsyncDisposable {
  readonly #pool: ThreadPool<ReadingRequest, ReadingResult>;
  /** How many have asked for a tokenizer and not given it back, by its digest. */
  readonly #holders = new Map<string, number>();
  readonly #texts = new EvenParts<string>(MOST_TEXTS);

  constructor(count: number, clock: Clock, report: ReportThread) {
    this.#pool = new ThreadPool(count, KIND, clock, report);
  }

  /** All threads have the tokenizer of that file until it is given back. Rejects with StartupError where it is another one by now. */
  async load({ digest }: Tokenizer, path: string): Promise<AsyncDisposable> {
    const holders = (this.#holders.get(digest) ?? 0) + 1;
    this.#holders.set(digest, holders);
    const release = () => this.#release(digest);
    if (holders === 1) {
      await this.#pool
        .askEach(() => ({ kind: "load", digest, path }))
        .catch(async (error: unknown) => {
          await release();
          throw error;
        });
    }
    return { [Symbol.asyncDispose]: release };
  }

  takes(text: string): boolean {
    return text.length >= LONG;
  }

  /** Throws OVERLOADED for a call with texts that would have to wait behind too many others, where its key has more than an even part of them. */
  admit({ events }: Pick<ServedModel, "events">, texts: readonly string[], call: Call): void {
    if (this.#texts.fits(holderOf(call), 1) || !texts.some(this.takes)) return;
    if (!call.origin.isUnasked) events.shed("queue_full", texts.length);
    throw new ServiceError(
      "OVERLOADED",
      `Too many long texts wait to be read (${this.#texts.all}): try again later.`,
      { retryAfterMs: 1000 },
    );
  }

  /**
   * What `read` gives or throws, and how long it took. undefined: no thread could do it, and it has to be read here. Rejects with the signal's
   * reason when the caller leaves.
   */
  async read(
    model: Pick<ServedModel, "tokenizer" | "maxTokens">,
    text: string,
    question: Question,
    call: Call,
  ): Promise<PromiseSettledResult<TimedReading> | undefined> {
    const { digest } = model.tokenizer;
    const holder = holderOf(call);
    this.#texts.add(holder, 1);
    try {
      const room = roomOf(model);
      const request = { kind: "read", digest, text, holder, room, question } as const;
      const { result, ms } = await this.#pool.askFor(call.signal, request);
      return result && { status: "fulfilled", value: { ...result, text, tokenizeMs: ms } };
    } catch (reason) {
      call.signal.throwIfAborted();
      const isTold = reason instanceof ServiceError && reason.reason !== "BACKEND_DOWN";
      return isTold ? { status: "rejected", reason } : undefined;
    } finally {
      this.#texts.add(holder, -1);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#pool[Symbol.asyncDispose]();
  }

  async #release(digest: string): Promise<void> {
    const holders = (this.#holders.get(digest) ?? 1) - 1;
    this.#holders.set(digest, holders);
    if (holders > 0) return;
    this.#holders.delete(digest);
    this.#pool.forget(digest);
    // A thread that is dead has nothing to give back.
    await this.#pool.askEach(() => ({ kind: "forget", digest })).catch(() => {});
  }
}
