import type { Signal } from "../core/abort.js";
import type { Clock } from "../core/clock.js";
import { Bucket } from "./bucket.js";
import { WaitingLine } from "./waiting-line.js";

/** A debt that another server tells of counts for no more: a wrong number must not shut anybody out for long. */
const MOST_DEBT_MINUTES = 10;
const MOST_ACCOUNTS = 10_000;
const SWEEP_MS = 1000;

/** What one holder has left of his quota, what calls under way keep of it, and what the other servers do not know yet. */
export class Account {
  #held = 0;
  #calls = 0;
  #untold = 0;
  #line: WaitingLine | undefined;
  readonly holder: string;
  readonly #bucket: Bucket;

  constructor(holder: string, tokensPerMinute: number, nowMs: number) {
    this.holder = holder;
    this.#bucket = new Bucket(tokensPerMinute, nowMs);
  }

  get tokensPerMinute(): number {
    return this.#bucket.tokensPerMinute;
  }

  setRate(tokensPerMinute: number, nowMs: number): void {
    this.#bucket.setRate(tokensPerMinute, nowMs);
    this.#line?.look();
  }

  /** Below 0: a debt. What calls under way keep is in it. */
  level(nowMs: number): number {
    return this.#bucket.level(nowMs);
  }

  /**
   * Milliseconds until so many may be kept beside `others`, if those under way cost what they keep; 0: now. What is worth more than the whole quota may be kept once that
   * is whole, and makes a debt: else it could never be.
   */
  msUntil(tokens: number, nowMs: number, others = 0): number {
    const enough = Math.min(tokens, this.tokensPerMinute);
    return this.#bucket.msUntil(enough + this.#held + others, nowMs);
  }

  /** A call keeps so many from now on. */
  begin(tokens: number): void {
    this.#calls++;
    this.#held += tokens;
  }

  /** The models have read so much, for which so many were kept. */
  spend(tokens: number, kept: number, nowMs: number): void {
    this.#held -= kept;
    this.#untold += tokens;
    this.#bucket.take(tokens, nowMs);
  }

  /** A call has ended, and keeps so many no longer. */
  end(kept: number): void {
    this.#calls--;
    // Fractions of tokens must not add up to anything.
    this.#held = this.#calls === 0 ? 0 : this.#held - kept;
    if (kept > 0) this.#line?.look();
  }

  /** Resolves when so many may be kept, unless somebody else is first, or at `untilMs`: by time, or because a call has ended that has not cost what it kept. Rejects with the signal's reason as soon as it fires. */
  wait(tokens: number, untilMs: number, clock: Clock, signal: Signal): Promise<void> {
    this.#line ??= new WaitingLine((...asked) => this.msUntil(...asked), clock);
    return this.#line.wait(tokens, untilMs, signal);
  }

  /** What was spent since it was asked last. */
  takeUntold(): number {
    const untold = this.#untold;
    this.#untold = 0;
    return untold;
  }

  /**
   * What is left as all servers together see it, less what they do not know yet. It is never more than what is known here, where nothing of the others is: so
   * what comes from outside can only lower it.
   */
  learn(level: number, nowMs: number): void {
    const least = -MOST_DEBT_MINUTES * this.tokensPerMinute;
    this.#bucket.lowerTo(Math.max(level, least) - this.#untold, nowMs);
  }

  /** It is as good as a new one. */
  isFull(nowMs: number): boolean {
    const isTold = this.#calls === 0 && this.#untold === 0;
    return isTold && this.level(nowMs) >= this.tokensPerMinute;
  }
}

/**
 * The accounts of those who have spent something lately. Whoever changes his address with every call is a new holder each time: then the oldest account makes
 * room, and what it had spent is forgotten. Newcomers are not made to suffer for it, nor is the memory.
 */
export class Accounts {
  readonly #accounts = new Map<string, Account>();
  #sweptMs = Number.NEGATIVE_INFINITY;
  readonly #most: number;

  constructor(most = MOST_ACCOUNTS) {
    this.#most = most;
  }

  get size(): number {
    return this.#accounts.size;
  }

  /** Full where the holder is new here. The quota may be another than at the last time. */
  of(holder: string, tokensPerMinute: number, nowMs: number): Account {
    const known = this.#accounts.get(holder);
    if (known !== undefined) {
      if (known.tokensPerMinute !== tokensPerMinute) known.setRate(tokensPerMinute, nowMs);
      return known;
    }
    if (this.#accounts.size >= this.#most) this.#makeRoom(nowMs);
    const account = new Account(holder, tokensPerMinute, nowMs);
    this.#accounts.set(holder, account);
    return account;
  }

  #makeRoom(nowMs: number): void {
    // All of them are looked at: not for every newcomer.
    if (nowMs - this.#sweptMs >= SWEEP_MS) {
      this.#sweptMs = nowMs;
      for (const [holder, account] of this.#accounts)
        if (account.isFull(nowMs)) this.#accounts.delete(holder);
    }
    const [oldest] = this.#accounts.keys();
    if (this.#accounts.size >= this.#most && oldest !== undefined) this.#accounts.delete(oldest);
  }
}
