import { CostModel, DrainRate, type RunSize } from "./cost.js";

/** What a call meets that wants in. */
export interface Backlog {
  /** Tokens that wait, of rows that are in turn before the call's last one. */
  readonly aheadTokens: number;
  /** Tokens of the batches that the backend has. */
  readonly runningTokens: number;
  /** Tokens of the call itself. */
  readonly ownTokens: number;
  /** Batches that the backend runs side by side. */
  readonly concurrency: number;
  /** Milliseconds of one of these places that a token costs; undefined while it is not known. */
  readonly msPerToken: number | undefined;
  /** Milliseconds between one token done and the next while rows waited; undefined while none have. */
  readonly drainMsPerToken: number | undefined;
}

/** Milliseconds until the last of the call's rows would be answered; 0 while nothing is known. Pure. */
export function waitOf({
  aheadTokens,
  runningTokens,
  ownTokens,
  concurrency,
  msPerToken = 0,
  drainMsPerToken = 0,
}: Backlog): number {
  const tokens = aheadTokens + runningTokens + ownTokens;
  // Busy cores do other things too: what has been done a millisecond of late is nearer the truth than what the model alone would do.
  return tokens * Math.max(msPerToken / concurrency, drainMsPerToken);
}

/** What the backend has of one model's batches, and what it has shown that they take. */
export class Load {
  #batches = 0;
  #tokens = 0;
  readonly #cost = new CostModel();
  readonly #drain = new DrainRate();
  readonly #concurrency: number;
  readonly #fixedTokens: number | undefined;

  /** `concurrency`: batches that it runs side by side; `fixedTokens`: what a batch costs before its first token, in tokens; undefined: it is learned. */
  constructor(concurrency: number, fixedTokens: number | undefined) {
    this.#concurrency = concurrency;
    this.#fixedTokens = fixedTokens;
  }

  /** Batches that it has. */
  get batches(): number {
    return this.#batches;
  }

  /** Batches that it could take up at once; at least one, for the next in line. */
  get free(): number {
    return Math.max(1, this.#concurrency - this.#batches);
  }

  /** Milliseconds until those are done by what the model takes for itself, whatever else the machine does; 0 while nothing is known. */
  get ownMs(): number {
    return (this.#tokens * (this.#cost.msPerToken ?? 0)) / this.#concurrency;
  }

  /** What a batch costs before its first token, in tokens; undefined while it is not known. */
  get fixedTokens(): number | undefined {
    return this.#fixedTokens ?? this.#cost.fixedTokens;
  }

  /** Milliseconds that a token of a text has cost the model, padding and fixed parts included; undefined while it is not known. */
  get msPerToken(): number | undefined {
    return this.#cost.msPerToken;
  }

  began({ tokens }: RunSize): void {
    this.#batches++;
    this.#tokens += tokens;
  }

  /** `ranMs`: of the model; undefined: it failed, and took as long as failing takes. `isBusy`: rows wait still. */
  ended(size: RunSize, ranMs: number | undefined, nowMs: number, isBusy: boolean): void {
    this.#batches--;
    this.#tokens -= size.tokens;
    this.#drain.done(size.tokens, nowMs, isBusy, this.#cost.msPerToken);
    if (ranMs !== undefined) this.#cost.observe(size, ranMs);
  }

  /** Milliseconds until rows of `ownTokens` would be answered behind so many others and what runs; 0 while nothing is known. */
  waitMs(aheadTokens: number, ownTokens: number): number {
    return waitOf({
      aheadTokens,
      runningTokens: this.#tokens,
      ownTokens,
      concurrency: this.#concurrency,
      msPerToken: this.#cost.msPerToken,
      drainMsPerToken: this.#drain.msPerToken,
    });
  }
}
