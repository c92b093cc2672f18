import { redisQuota } from "./cache/redis-quota.js";
import { type Config, isOpen } from "./config.js";
import type { Clock } from "./core/clock.js";
import type { SharedQuota } from "./core/shared-quota.js";
import type { Log } from "./observe/log.js";
import type { Metrics } from "./observe/metrics.js";
import { quotaLog } from "./observe/quota-log.js";
import { Quota, type QuotaEvents } from "./quota/quota.js";
import { QuotaSync, type Synced } from "./quota/quota-sync.js";

/** What holders may spend, and where the others are told of it. */
export interface QuotaParts extends AsyncDisposable {
  readonly quota: Quota;
}

/** `processes`: shared by those behind the same port, unless there is a Redis for all servers. */
export function openQuota(
  config: Config,
  processes: SharedQuota | undefined,
  clock: Clock,
  log: Log,
  metrics: Metrics,
): QuotaParts {
  const { quota } = config;
  const redis = quota.redisUrl === undefined ? undefined : redisQuota(quota.redisUrl, clock);
  const shared = redis ?? processes;
  const sync = shared && new QuotaSync(shared, clock, syncEvents(log, metrics));
  const by = isOpen(config) ? ("clientip" as const) : ("key" as const);
  const events = quotaEvents(log, metrics, clock);
  return {
    quota: new Quota({ ...quota, by }, clock, events, sync),
    async [Symbol.asyncDispose]() {
      sync?.[Symbol.dispose]();
      await redis?.[Symbol.asyncDispose]();
    },
  };
}

function quotaEvents(log: Log, metrics: Metrics, clock: Clock): QuotaEvents {
  const tell = quotaLog(log, clock);
  return {
    charged: (tokens) => metrics.quotaTokens("charged", tokens),
    refused(refusal) {
      const { isShadow, tokens, texts } = refusal;
      metrics.quotaTokens(isShadow ? "shadow_refused" : "refused", tokens);
      if (!isShadow) metrics.shed("rate_limited", texts);
      tell(refusal);
    },
  };
}

/** Says once that the others cannot be told, and once that they can again. */
function syncEvents(log: Log, metrics: Metrics): Synced {
  let isAlone = false;
  return (outcome, why) => {
    metrics.quotaSynced(outcome);
    const wasAlone = isAlone;
    isAlone = outcome === "alone";
    if (isAlone && !wasAlone)
      log.warn({ why }, "quotas are not shared: each server keeps to them for itself");
    if (!isAlone && wasAlone) log.info("quotas are shared again");
  };
}
