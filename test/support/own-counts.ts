import assert from "node:assert/strict";
import type { ServiceError } from "@grpc/grpc-js";
import { isAbortError } from "abort-controller-x";
import { ClientError, Status } from "nice-grpc";
import { LABELS } from "../../server/core/tiers.js";
import type { Status as StatusMessage } from "../../server/gen/google/rpc/status.js";
import { CacheTier, type Sentiment } from "../../server/gen/sentiment/v1/sentiment.js";
import { detailsOf } from "./status-details.js";

const { CACHE_TIER_MEMORY: MEMORY, CACHE_TIER_NONE: NONE } = CacheTier;

function reasonOf(error: StatusMessage | undefined): string {
  assert.ok(error);
  return detailsOf(error).reason ?? assert.fail("an error without a reason");
}

/** What the clients have seen, by the labels' values of the server's counters. */
export class Own {
  readonly requests: Record<string, number> = {};
  readonly texts: Record<string, number> = {};
  readonly lookups: Record<string, number> = {};
  readonly labels: Record<string, number> = {};

  count(counts: Record<string, number>, key: string, by = 1): void {
    counts[key] = (counts[key] ?? 0) + by;
  }

  /** A text of a method, as it was answered. */
  text(method: string, sentiment: Sentiment | undefined, error: StatusMessage | undefined): void {
    this.count(this.texts, `${method} ${sentiment ? "ok" : reasonOf(error)}`);
    if (sentiment === undefined) return;
    this.count(this.labels, `sentiment_fast ${LABELS[sentiment.label - 1]}`);
    assert.ok(sentiment.cache === MEMORY || sentiment.cache === NONE);
    this.count(this.lookups, sentiment.cache === MEMORY ? "memory hit" : "memory miss");
  }

  /** The call's code, as its client sees it. */
  async call<T>(method: string, endpoint: string, ask: () => Promise<T>): Promise<T | undefined> {
    const [answer, code] = await ask().then(
      (answered) => [answered, "OK"] as const,
      (error: unknown) => {
        if (error instanceof ClientError) return [undefined, Status[error.code] ?? ""] as const;
        if (isAbortError(error)) return [undefined, "CANCELLED"] as const;
        const { code: number } = error as ServiceError;
        return [undefined, Status[number] ?? String(error)] as const;
      },
    );
    this.count(this.requests, `${method} ${endpoint} ${code}`);
    return answer;
  }
}
