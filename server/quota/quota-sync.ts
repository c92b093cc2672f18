import type { Clock } from "../core/clock.js";
import { messageOf } from "../core/errors.js";
import type { SharedQuota } from "../core/shared-quota.js";
import type { Account } from "./accounts.js";

/** From the first token that the others do not know of until they are told. */
const SYNC_MS = 250;
/** Holders that are told of at once; the others' turn comes a quarter of a second later. */
const MOST_HOLDERS = 1000;

/** What came of telling the others. `alone`: they could not be, and each keeps to the quota for itself. `why` for `alone`. Must not throw. */
export type Synced = (outcome: "shared" | "alone", why?: string) => void;

/**
 * Tells what was spent here to whom the quota is shared with, and learns what is left of it: now and then, while something is spent, and never while a call waits.
 * In between each server lets in what is left as it knows it, so that several together may let in more for a moment; that is a debt then, which all of them keep to.
 */
export class QuotaSync implements Disposable {
  readonly #due = new Set<Account>();
  /** A telling is under way, or its timer is set. */
  #isComing = false;
  #closed = false;
  #cancel = () => {};
  readonly #shared: SharedQuota;
  readonly #clock: Clock;
  readonly #synced: Synced;

  constructor(shared: SharedQuota, clock: Clock, synced: Synced) {
    this.#shared = shared;
    this.#clock = clock;
    this.#synced = synced;
  }

  /** The account has spent something. */
  due(account: Account): void {
    this.#due.add(account);
    this.#await();
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#cancel();
  }

  #await(): void {
    if (this.#isComing || this.#closed || this.#due.size === 0) return;
    this.#isComing = true;
    this.#cancel = this.#clock.after(SYNC_MS, () => void this.#tell());
  }

  async #tell(): Promise<void> {
    const accounts = [...this.#due].slice(0, MOST_HOLDERS);
    for (const account of accounts) this.#due.delete(account);
    const spent = accounts.map((account) => {
      const { holder, tokensPerMinute } = account;
      return { holder, tokensPerMinute, tokens: account.takeUntold() };
    });
    try {
      const levels = await this.#shared.take(spent);
      this.#learn(accounts, levels);
    } catch (error) {
      // Not told again: it may have arrived, and what piles up while nobody can be told would shut a holder out afterwards.
      this.#synced("alone", messageOf(error));
    }
    this.#isComing = false;
    this.#await();
  }

  #learn(accounts: readonly Account[], levels: readonly (number | undefined)[]): void {
    const nowMs = this.#clock.now();
    let known = 0;
    for (const [place, account] of accounts.entries()) {
      const level = levels[place];
      if (!Number.isFinite(level)) continue;
      account.learn(Number(level), nowMs);
      known++;
    }
    if (known === accounts.length) this.#synced("shared");
    else this.#synced("alone", "what is left could not be read");
  }
}
