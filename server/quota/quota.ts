import type { Call, Charge } from "../core/call.js";
import type { Clock } from "../core/clock.js";
import { ServiceError } from "../core/errors.js";
import type { Tier } from "../core/tiers.js";
import { type Account, Accounts } from "./accounts.js";
import { tokensOf } from "./estimate.js";
import type { QuotaSync } from "./quota-sync.js";

/** What a token costs that a tier's model reads. */
export type Weights = Readonly<Record<Tier, number>>;

export interface QuotaOptions {
  /** Of a holder whose key says nothing; undefined: he has none. */
  readonly tokensPerMinute: number | undefined;
  readonly weights: Weights;
  /** false: all are let in, and it is told who would not have been. */
  readonly enforces: boolean;
  /** What tells holders apart. */
  readonly by: "key" | "clientip";
}

/** A call that was not let in, or would not have been. */
export interface Refusal {
  readonly holder: string;
  readonly tokensPerMinute: number;
  /** By estimate. */
  readonly tokens: number;
  readonly texts: number;
  /** It was let in all the same. */
  readonly isShadow: boolean;
}

/** What happens to quotas. Must not throw. */
export interface QuotaEvents {
  charged(tokens: number): void;
  refused(refusal: Refusal): void;
}

/** What is asked of the texts, as far as it costs. */
type Question = Parameters<typeof tokensOf>[1];
type Spend = (account: Account, tokens: number, kept: number) => void;

/** What a call may cost, kept for it until it ends. What models read for it is spent, from what was kept first. */
export class Reservation implements Charge, Disposable {
  #kept: number;
  readonly #account: Account;
  readonly #weights: Weights;
  readonly #spend: Spend;

  constructor(account: Account, kept: number, weights: Weights, spend: Spend) {
    this.#account = account;
    this.#kept = kept;
    this.#weights = weights;
    this.#spend = spend;
    account.begin(kept);
  }

  read(tier: Tier, tokens: number): void {
    const cost = tokens * this.#weights[tier];
    const kept = Math.min(cost, this.#kept);
    this.#kept -= kept;
    this.#spend(this.#account, cost, kept);
  }

  /** The call has ended. */
  [Symbol.dispose](): void {
    this.#account.end(this.#kept);
    this.#kept = 0;
  }
}

/**
 * What each holder may have analyzed a minute: tokens that models read, weighted by tier. A call is let in where an estimate of its cost is left, and charged with
 * what the models have then read for it: what a cache answers costs nothing, and a text that is read in vain little. Calls of no holder, or of one without a quota, are not looked at.
 */
export class Quota {
  readonly #accounts = new Accounts();
  readonly #options: QuotaOptions;
  readonly #clock: Clock;
  readonly #events: QuotaEvents;
  readonly #spend: Spend;

  /** `sync`: tells the other servers; undefined: there are none. */
  constructor(
    options: QuotaOptions,
    clock: Clock,
    events: QuotaEvents,
    sync: QuotaSync | undefined,
  ) {
    this.#options = options;
    this.#clock = clock;
    this.#events = events;
    this.#spend = (account, tokens, kept) => {
      account.spend(tokens, kept, clock.now());
      events.charged(tokens);
      if (sync !== undefined) sync.due(account);
      // Nobody will ask for it: an account that has something to tell is kept.
      else account.takeUntold();
    };
  }

  /** Keeps what the texts of the call will cost; undefined: nobody is charged. Throws RATE_LIMITED, with the time until there is enough. */
  reserve(
    texts: readonly string[],
    tier: Tier | "auto",
    question: Question,
    call: Call,
  ): Reservation | undefined {
    const account = texts.length > 0 ? this.#account(call) : undefined;
    if (account === undefined) return undefined;
    const tokens = this.#estimate(texts, tier, question);
    const waitMs = account.msUntil(tokens, this.#clock.now());
    if (waitMs > 0) return this.#refuse(account, tokens, texts.length, waitMs);
    return new Reservation(account, tokens, this.#options.weights, this.#spend);
  }

  /** As `reserve`, but waits for it, until the call's deadline at most. Rejects with the signal's reason when the caller leaves. */
  async reserveInTime(
    ...[texts, tier, question, call]: Parameters<Quota["reserve"]>
  ): Promise<Reservation | undefined> {
    const { signal, deadlineMs } = call;
    const account = this.#account(call);
    const tokens = account === undefined ? 0 : this.#estimate(texts, tier, question);
    for (;;) {
      const nowMs = this.#clock.now();
      const waitMs = Math.min(account?.msUntil(tokens, nowMs) ?? 0, deadlineMs - nowMs);
      if (waitMs <= 0) return this.reserve(texts, tier, question, call);
      await account?.wait(tokens, deadlineMs, this.#clock, signal);
    }
  }

  /** Whether there is one for all. */
  get isByDefault(): boolean {
    return this.#options.tokensPerMinute !== undefined;
  }

  /** Whether the call may be refused for its quota, or come to be: a stream may outlast what its key allows now. */
  isEnforced({ origin }: Call): boolean {
    return this.#options.enforces && origin.holder !== undefined;
  }

  #account({ origin: { holder, allowed, isUnasked } }: Call): Account | undefined {
    if (holder === undefined || isUnasked) return undefined;
    const tokensPerMinute = allowed?.tokensPerMinute ?? this.#options.tokensPerMinute;
    if (tokensPerMinute === undefined) return undefined;
    return this.#accounts.of(holder, tokensPerMinute, this.#clock.now());
  }

  /** The cascade's as if fast answered all: what goes on is charged when it has. */
  #estimate(texts: readonly string[], tier: Tier | "auto", question: Question): number {
    let tokens = 0;
    for (const text of texts) tokens += tokensOf(text, question);
    return tokens * this.#options.weights[tier === "auto" ? "fast" : tier];
  }

  /** Who is let in all the same is not charged: else all that comes after it would be refused, and not what would be. */
  #refuse(account: Account, tokens: number, texts: number, waitMs: number): undefined {
    const { enforces, by } = this.#options;
    const { holder, tokensPerMinute } = account;
    this.#events.refused({ holder, tokensPerMinute, tokens, texts, isShadow: !enforces });
    if (!enforces) return;
    const retryAfterMs = Math.ceil(waitMs);
    const quota = { subject: `${by}:${holder}`, tokensPerMinute };
    const message = messageOf(account, tokens, Math.ceil(retryAfterMs / 1000));
    throw new ServiceError("RATE_LIMITED", message, { retryAfterMs, quota });
  }
}

function messageOf({ holder, tokensPerMinute }: Account, tokens: number, seconds: number): string {
  const quota = `${tokensPerMinute} tokens a minute`;
  return tokens > tokensPerMinute
    ? `The call costs about ${Math.ceil(tokens)} tokens, more than the quota of ${holder} (${quota}) at once: it is let in when all of that is left, in ${seconds} s; send fewer texts a call.`
    : `The quota of ${holder} (${quota}) is used up: try again in ${seconds} s, or ask who runs this server for more.`;
}
