import { type Code, SentimentError } from "../errors.js";
import type { AskingOptions } from "../options.js";

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 5000;
/** Those who were refused together must not come back together. */
const JITTER = 0.2;
/** How often within the time of giving up it is looked whether the server is silent. */
const LOOKS = 10;
/** Longer ones fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Asked long enough. */
export class GaveUp extends SentimentError {}

/** A message was over a limit: of gRPC's, of which only the words tell, or of the proxy in front of the server. */
const saysTooLarge = ({ code, reason, message }: SentimentError): boolean =>
  code === "RESOURCE_EXHAUSTED" &&
  (reason === "BODY_TOO_LARGE" || (reason === undefined && message.includes("larger than")));

export const isTooLarge = (error: unknown): error is SentimentError =>
  error instanceof SentimentError && saysTooLarge(error);

/** What another try may follow. */
export const isFailure = (error: unknown): error is SentimentError =>
  error instanceof SentimentError && !(error instanceof GaveUp);

/** Whether another try makes sense, of a call or of a single text. */
export const isAskedAgain = (error: unknown): error is SentimentError =>
  isFailure(error) &&
  !saysTooLarge(error) &&
  error.reason !== "METADATA_TOO_LARGE" &&
  (error.code === "UNAVAILABLE" || error.code === "RESOURCE_EXHAUSTED");

/** What gRPC, not the server, says of a call that was cut off in one way or another, or has met its deadline. */
const LOST: ReadonlySet<Code> = new Set(["CANCELLED", "INTERNAL", "UNKNOWN", "DEADLINE_EXCEEDED"]);

/** The same, of a call or a stream only: it may have been lost on its way. */
export const isCallAskedAgain = (error: unknown): error is SentimentError =>
  isAskedAgain(error) || (isFailure(error) && error.reason === undefined && LOST.has(error.code));

/**
 * When to ask again, and when to give up: when nothing was answered for so long. What fails again and again is given up before a
 * wait that would end too late, counted from the first failure that no answer came after.
 */
export class Patience {
  readonly #giveUpMs: number;
  readonly #onRetry: AskingOptions["onRetry"];
  readonly #nowMs: () => number;
  #failingSinceMs: number | undefined;
  /** Since the last answer. */
  #lastFailure: SentimentError | undefined;
  #silentLooks = 0;

  constructor({ giveUpMs = 60_000, onRetry }: AskingOptions, nowMs = () => performance.now()) {
    this.#giveUpMs = giveUpMs;
    this.#onRetry = onRetry;
    this.#nowMs = nowMs;
  }

  answered(): void {
    this.#failingSinceMs = undefined;
    this.#lastFailure = undefined;
    this.#silentLooks = 0;
  }

  /** Tells `giveUp` when nothing has been answered for so long while answers were owed, until the timer is cleared. */
  watch(isOwed: () => boolean, giveUp: (error: GaveUp) => void): NodeJS.Timeout | undefined {
    // 0 has nothing asked again, but each answer may take its time.
    if (!(this.#giveUpMs > 0)) return undefined;
    // Looks are counted, not time: a loop that holds up this thread keeps the answers from coming in as well.
    const look = () => {
      if (!isOwed()) this.#silentLooks = 0;
      else if (++this.#silentLooks > LOOKS) giveUp(this.#gaveUp());
    };
    return setInterval(look, Math.min(this.#giveUpMs / LOOKS, LONGEST_TIMER_MS)).unref();
  }

  /** How long to wait after a failure that is the `tries`-th in a row. Throws GaveUp when that would be too long. */
  delayMs(error: SentimentError, tries: number): number {
    const nowMs = this.#nowMs();
    this.#failingSinceMs ??= nowMs;
    this.#lastFailure = error;
    const backoffMs = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(tries - 1, 10));
    // Never earlier than the server wants.
    const delayMs = (error.retryAfterMs ?? backoffMs) * (1 + JITTER * Math.random());
    if (nowMs + delayMs > this.#failingSinceMs + this.#giveUpMs) throw this.#gaveUp();
    this.#onRetry?.(error, delayMs);
    return delayMs;
  }

  #gaveUp(): GaveUp {
    const words = `no answer within ${this.#giveUpMs / 1000} s`;
    if (this.#lastFailure === undefined) return new GaveUp("UNAVAILABLE", words);
    const { code, message, reason, retryAfterMs } = this.#lastFailure;
    return new GaveUp(code, `${words}; the last failure: ${message}`, { reason, retryAfterMs });
  }
}
