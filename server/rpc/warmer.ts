import { countOf, nothingWarmed, type Warmed, type WarmText } from "../classify/warming.js";
import { withLimit } from "../core/abort.js";
import { unasked } from "../core/call.js";
import { ServiceError, StartupError } from "../core/errors.js";
import type { Tier as TierMessage } from "../gen/sentiment/v1/sentiment.js";
import type { Analyze, ServiceParts } from "./analyzer.js";
import { checkBatchSize, checkText } from "./validate.js";

const MAX_TEXTS = 10_000;

/**
 * Warms a text as Analyze would answer it, each alone, so that the version that warms it is the one that is asked for it. Of what is
 * unexpected only the first is reported: all the texts may meet the same.
 */
export function textWarmer(
  { limits, reportBug }: ServiceParts,
  analyze: Analyze,
  tier: TierMessage,
): WarmText {
  let reported = false;
  const report = (error: unknown) => {
    if (!reported) reportBug("warming", error, undefined);
    reported = true;
  };
  return async (text, signal) => {
    try {
      checkText(text, limits.maxTextLength, "text");
      const [outcome] = await analyze([text], tier, undefined, unasked(signal));
      if (outcome?.status === "fulfilled")
        return outcome.value.cache === "none" ? "warmed" : "present";
      throw outcome?.reason ?? new Error("the text has no outcome");
    } catch (error) {
      signal.throwIfAborted();
      return lotOf(error, report);
    }
  };
}

/** Of a text that was not answered. Throws what would meet all the others too. */
function lotOf(error: unknown, report: (error: unknown) => void): "failed" | "later" {
  if (error instanceof StartupError) throw error;
  if (!(error instanceof ServiceError)) {
    report(error);
    return "failed";
  }
  if (error.reason === "OVERLOADED") return "later";
  if (error.reason === "DEADLINE" || error.reason.startsWith("TEXT_")) return "failed";
  throw error;
}

/** AdminService.WarmCache, within the time of one call. Rejects as `Analyze` does for what concerns all texts. */
export function cacheWarmer(parts: ServiceParts, analyze: Analyze) {
  const { warming, caches, limits, clock } = parts;
  return async (
    texts: readonly string[],
    tier: TierMessage,
    signal: AbortSignal,
  ): Promise<Warmed> => {
    checkBatchSize(texts.length, MAX_TEXTS);
    if (caches === undefined) {
      const message = "Caching is off, so that nothing could be kept: set ENABLE_CACHING=true.";
      throw new ServiceError("NOT_IMPLEMENTED", message);
    }
    // A tier that is not served is told of whatever the texts are.
    await analyze([], tier, undefined, unasked(signal));
    const tally = nothingWarmed();
    const late = () =>
      new ServiceError(
        "DEADLINE",
        `${countOf(tally)} of ${texts.length} texts were done within ${limits.timeoutMs / 1000} s, and stay: send them again for the rest.`,
      );
    await withLimit(signal, limits.timeoutMs, clock, late, (caller) =>
      warming.run(texts, textWarmer(parts, analyze, tier), caller.signal, tally),
    );
    return tally;
  };
}
