import type { Sentiment, Tier, Timing } from "../api/messages.ts";
import { CACHE_NAMES, count, percent, TIER_NAMES } from "../parts/format.ts";

interface Props {
  readonly sentiment: Sentiment;
  readonly timing: Timing;
  readonly asked: Tier;
}

/** Who answered, from where, and how much of the text was read. */
export function Facts({ sentiment, timing, asked }: Props) {
  const { tier, model, modelVersion, cache, tokenCount, analyzedTokenCount } = sentiment;
  return (
    <section class="part" aria-labelledby="facts-title">
      <h2 id="facts-title">How it was answered</h2>
      {analyzedTokenCount < tokenCount && (
        <p class="note">
          Only the first {count(analyzedTokenCount)} of {count(tokenCount)} tokens were read.
        </p>
      )}
      <dl class="facts">
        <div>
          <dt>tier</dt>
          <dd>
            {TIER_NAMES[tier]}
            {asked !== tier && <span class="quiet"> (asked: {TIER_NAMES[asked]})</span>}
          </dd>
        </div>
        <div>
          <dt>cache</dt>
          <dd>{CACHE_NAMES[cache]}</dd>
        </div>
        <div>
          <dt>tokens read</dt>
          <dd>
            {count(analyzedTokenCount)} of {count(tokenCount)}
          </dd>
        </div>
        <div>
          <dt>batch</dt>
          <dd>{batchText(timing)}</dd>
        </div>
        <div class="wide">
          <dt>model</dt>
          <dd>
            {model} {modelVersion}
          </dd>
        </div>
      </dl>
    </section>
  );
}

function batchText({ batchSize, paddingRatio }: Timing): string {
  if (batchSize === 0) return "none was run";
  const rows = batchSize === 1 ? "1 row" : `${batchSize} rows`;
  return `${rows}, ${percent(paddingRatio)} padding`;
}
