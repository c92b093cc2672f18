import type { Clock } from "../core/clock.js";
import type { SharedQuota } from "../core/shared-quota.js";
import { Accounts } from "./accounts.js";

/** Of the processes of one server, kept by the one that they all know. */
export function memoryQuota(clock: Clock): SharedQuota {
  const accounts = new Accounts();
  return {
    take: async (spent) =>
      spent.map(({ holder, tokensPerMinute, tokens }) => {
        const nowMs = clock.now();
        const account = accounts.of(holder, tokensPerMinute, nowMs);
        account.spend(tokens, 0, nowMs);
        account.takeUntold();
        return account.level(nowMs);
      }),
  };
}
