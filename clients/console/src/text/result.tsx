import type { AnalyzeRequest, AnalyzeResponse } from "../api/messages.ts";
import { score } from "../parts/format.ts";
import { Probabilities } from "../parts/probabilities.tsx";
import { ScoreBar } from "../parts/score-bar.tsx";
import { Verdict } from "../parts/verdict.tsx";
import { Facts } from "./facts.tsx";
import { MarkedText } from "./marked-text.tsx";
import { Sentences } from "./sentences.tsx";
import { Timings } from "./timings.tsx";

export interface Answered {
  readonly request: AnalyzeRequest;
  readonly response: AnalyzeResponse;
  /** From this page's question to its answer. */
  readonly tookMs: number;
}

export function Result({ request, response, tookMs }: Answered) {
  const { sentiment, timing } = response;
  const { text } = request;
  return (
    <>
      <section class="part verdict-part" aria-labelledby="verdict-title">
        <h2 id="verdict-title" class="unseen">
          Verdict
        </h2>
        <p class="headline">
          <Verdict label={sentiment.label} confidence={sentiment.confidence} />
          <span class="score">
            <span class="quiet">score </span>
            {score(sentiment.score)}
          </span>
        </p>
        <ScoreBar value={sentiment.score} />
        <p class="scale" aria-hidden="true">
          <span>{"\u2212"}1 negative</span>
          <span>0</span>
          <span>positive 1</span>
        </p>
        <Probabilities values={sentiment.probabilities} />
      </section>
      {request.options.explain && <MarkedText text={text} words={sentiment.attributions} />}
      {request.options.sentences && (
        <Sentences text={text} sentences={sentiment.sentences} mixed={sentiment.mixed} />
      )}
      <Facts sentiment={sentiment} timing={timing} asked={request.tier} />
      <Timings timing={timing} tookMs={tookMs} />
      <details class="part">
        <summary>The answer as JSON</summary>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys */}
        <pre tabIndex={0}>{JSON.stringify(response, undefined, 2)}</pre>
      </details>
    </>
  );
}
