import { msOf } from "../api/duration.ts";
import type { AnalyzeResponse, Tier } from "../api/messages.ts";
import { count, duration, score, TIER_NAMES } from "../parts/format.ts";
import { Probabilities } from "../parts/probabilities.tsx";
import { Problem } from "../parts/problem.tsx";
import { ScoreBar } from "../parts/score-bar.tsx";
import { Verdict } from "../parts/verdict.tsx";
import type { Compared } from "./compare.ts";

interface Props {
  readonly tier: Tier;
  readonly said: Compared | undefined;
  readonly onKey: () => void;
}

export function TierCard({ tier, said, onKey }: Props) {
  return (
    <section class="card" aria-labelledby={`card-${tier}`}>
      <h2 id={`card-${tier}`}>{TIER_NAMES[tier]}</h2>
      {said === undefined && <p class="empty">not asked yet</p>}
      {said !== undefined && "error" in said && <Problem error={said.error} onKey={onKey} />}
      {said !== undefined && "response" in said && <Answer tier={tier} response={said.response} />}
    </section>
  );
}

interface AnswerProps {
  readonly tier: Tier;
  readonly response: AnalyzeResponse;
}

function Answer({ tier, response: { sentiment, timing } }: AnswerProps) {
  return (
    <>
      <p class="headline">
        <Verdict label={sentiment.label} confidence={sentiment.confidence} />
        <span class="score">{score(sentiment.score)}</span>
      </p>
      <ScoreBar value={sentiment.score} />
      <Probabilities values={sentiment.probabilities} />
      <dl class="facts">
        <div>
          <dt>inference</dt>
          <dd>{duration(msOf(timing.inference))}</dd>
        </div>
        <div>
          <dt>in all</dt>
          <dd>{duration(msOf(timing.total))}</dd>
        </div>
        <div>
          <dt>tokens read</dt>
          <dd>{count(sentiment.analyzedTokenCount)}</dd>
        </div>
        {tier === "TIER_AUTO" && (
          <div>
            <dt>answered by</dt>
            <dd>{TIER_NAMES[sentiment.tier]}</dd>
          </div>
        )}
        <div class="wide">
          <dt>model</dt>
          <dd>
            {sentiment.model} {sentiment.modelVersion}
          </dd>
        </div>
      </dl>
    </>
  );
}
