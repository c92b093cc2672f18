import { type Caller, orAbort, withLimit } from "../core/abort.js";
import type { Clock } from "../core/clock.js";
import { ServiceError } from "../core/errors.js";

/** What carries messages to another process and back, in order. */
export interface Channel {
  /** Never throws: what cannot be sent is lost. */
  send(message: unknown): void;
  listen(onMessage: (message: unknown) => void): void;
}

/** What one end answers, by name. Arguments and answers must survive a structured clone. */
export type Calls = {
  readonly [name: string]: (argument: never, signal: AbortSignal) => unknown;
};

interface Fault {
  readonly reason: ServiceError["reason"];
  readonly message: string;
  readonly retryAfterMs: number | undefined;
}

type Message =
  | { readonly kind: "ask"; readonly id: number; readonly name: string; readonly argument: unknown }
  | { readonly kind: "leave"; readonly id: number }
  | { readonly kind: "answer"; readonly id: number; readonly answer: unknown }
  | { readonly kind: "fault"; readonly id: number; readonly fault: Fault };

export interface Patience {
  readonly limitMs: number;
  readonly signal?: AbortSignal;
  /** Sent however many questions are unanswered: for what is asked one at a time, and what depends on its being asked. */
  readonly isUrgent?: true;
}

interface Asked {
  resolve(answer: unknown): void;
  reject(error: unknown): void;
}

/** A process that leaves so many questions unanswered is sent no more: they would pile up in this one's memory. */
const MOST_UNANSWERED = 32;

/** Questions and answers between two processes, each asking the other, several at once. */
export class Link<Ours extends Calls, Theirs extends Calls> {
  #lastId = 0;
  #closed = false;
  readonly #asked = new Map<number, Asked>();
  /** Also those that nobody waits for any more. */
  readonly #unanswered = new Set<number>();
  readonly #answering = new Map<number, AbortController>();
  readonly #channel: Channel;
  readonly #ours: Ours;
  readonly #clock: Clock;
  readonly #report: (error: unknown) => void;

  /** @param report told of an error of ours that is no ServiceError: the other end learns only that there was one */
  constructor(channel: Channel, ours: Ours, clock: Clock, report: (error: unknown) => void) {
    this.#channel = channel;
    this.#ours = ours;
    this.#clock = clock;
    this.#report = report;
    channel.listen((message) => this.#take(message as Message));
  }

  /** Rejects with what the other end says, PROCESS_DOWN when it is gone or answers nothing, DEADLINE when it is late. */
  async ask<Name extends keyof Theirs & string>(
    name: Name,
    argument: Parameters<Theirs[Name]>[0],
    { limitMs, signal = new AbortController().signal, isUrgent }: Patience,
  ): Promise<Awaited<ReturnType<Theirs[Name]>>> {
    if (this.#closed) throw gone();
    if (!isUrgent && this.#unanswered.size >= MOST_UNANSWERED)
      throw down("It has answered nothing for long.");
    const late = () => new ServiceError("DEADLINE", `No answer within ${limitMs / 1000} s.`);
    const answer = await withLimit(signal, limitMs, this.#clock, late, (caller) =>
      this.#send(name, argument, caller),
    );
    return answer as Awaited<ReturnType<Theirs[Name]>>;
  }

  /** The other process is gone: whoever waits for it is told, and what it asked for is given up. */
  close(): void {
    this.#closed = true;
    for (const { reject } of this.#asked.values()) reject(gone());
    for (const answering of this.#answering.values()) answering.abort(gone());
  }

  async #send(name: string, argument: unknown, { signal }: Caller): Promise<unknown> {
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#asked.set(id, { resolve, reject });
    this.#unanswered.add(id);
    this.#post({ kind: "ask", id, name, argument });
    try {
      return await orAbort(promise, signal, () => this.#post({ kind: "leave", id }));
    } finally {
      this.#asked.delete(id);
    }
  }

  #post(message: Message): void {
    this.#channel.send(message);
  }

  #take(message: Message): void {
    const { id } = message;
    switch (message.kind) {
      case "ask":
        void this.#answer(message);
        break;
      case "leave":
        this.#answering.get(id)?.abort(new Error("not waited for"));
        break;
      case "answer":
        this.#unanswered.delete(id);
        this.#asked.get(id)?.resolve(message.answer);
        break;
      case "fault":
        this.#unanswered.delete(id);
        this.#asked.get(id)?.reject(errorOf(message.fault));
        break;
    }
  }

  /** Also what nobody waits for any more is answered, so that it is no longer counted as unanswered. */
  async #answer({ id, name, argument }: Message & { kind: "ask" }): Promise<void> {
    const answering = new AbortController();
    this.#answering.set(id, answering);
    try {
      const answer = await this.#ours[name]?.(argument as never, answering.signal);
      this.#post({ kind: "answer", id, answer });
    } catch (error) {
      this.#post({ kind: "fault", id, fault: this.#faultOf(error, answering.signal) });
    } finally {
      this.#answering.delete(id);
    }
  }

  #faultOf(error: unknown, signal: AbortSignal): Fault {
    if (error instanceof ServiceError) {
      const { reason, message, hints } = error;
      return { reason, message, retryAfterMs: hints.retryAfterMs };
    }
    if (!signal.aborted) this.#report(error);
    const message = "It failed on this: its log has the cause.";
    return { reason: "BUG", message, retryAfterMs: undefined };
  }
}

const errorOf = ({ reason, message, retryAfterMs }: Fault) =>
  new ServiceError(reason, message, retryAfterMs === undefined ? {} : { retryAfterMs });
const down = (message: string) => new ServiceError("PROCESS_DOWN", message, { retryAfterMs: 1000 });
const gone = () => down("It has ended, and is being replaced: call again.");
