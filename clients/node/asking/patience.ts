import { SentimentError } from "../errors.js";
import type { AskingOptions } from "../options.js";

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 5000;
/** Those who were refused together must not come back together. */
const JITTER = 0.2;

/** Asked long enough. */
export class GaveUp extends SentimentError {}

/** A message was over a limit: of gRPC's, of which only the words tell, or of the proxy in front of the server. */
const saysTooLarge = ({ code, reason, message }: SentimentError): boolean =>
  code === "RESOURCE_EXHAUSTED" &&
  (reason === "BODY_TOO_LARGE" || (reason === undefined && message.includes("larger than")));

export const isTooLarge = (error: unknown): error is SentimentError =>
  error instanceof SentimentError && saysTooLarge(error);

/** Whether another try makes sense, of a call or of a single text. */
export const isAskedAgain = (error: unknown): error is SentimentError =>
  error instanceof SentimentError &&
  !(error instanceof GaveUp) &&
  !saysTooLarge(error) &&
  (error.code === "UNAVAILABLE" || error.code === "RESOURCE_EXHAUSTED");

/** When to ask again, and when to give up: counted from the first failure that no answer came after. */
export class Patience {
  readonly #giveUpMs: number;
  readonly #onRetry: AskingOptions["onRetry"];
  readonly #nowMs: () => number;
  #failingSinceMs: number | undefined;

  constructor({ giveUpMs = 60_000, onRetry }: AskingOptions, nowMs = () => performance.now()) {
    this.#giveUpMs = giveUpMs;
    this.#onRetry = onRetry;
    this.#nowMs = nowMs;
  }

  answered(): void {
    this.#failingSinceMs = undefined;
  }

  /** How long to wait after a failure that is the `tries`-th in a row. Throws GaveUp when that would be too long. */
  delayMs(error: SentimentError, tries: number): number {
    const nowMs = this.#nowMs();
    this.#failingSinceMs ??= nowMs;
    const backoffMs = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(tries - 1, 10));
    // Never earlier than the server wants.
    const delayMs = (error.retryAfterMs ?? backoffMs) * (1 + JITTER * Math.random());
    if (nowMs + delayMs > this.#failingSinceMs + this.#giveUpMs) throw this.#gaveUp(error);
    this.#onRetry?.(error, delayMs);
    return delayMs;
  }

  #gaveUp({ code, message, reason, retryAfterMs }: SentimentError): GaveUp {
    const words = `no answer within ${this.#giveUpMs / 1000} s; the last failure: ${message}`;
    return new GaveUp(code, words, { reason, retryAfterMs });
  }
}
