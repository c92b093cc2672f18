import type { SentenceSentiment } from "../api/messages.ts";
import { LABEL_NAMES, score } from "../parts/format.ts";
import { Verdict } from "../parts/verdict.tsx";
import { cutter } from "./code-points.ts";

interface Props {
  readonly text: string;
  readonly sentences: readonly SentenceSentiment[];
  readonly mixed: boolean;
}

export function Sentences({ text, sentences, mixed }: Props) {
  const cut = cutter(text);
  return (
    <section class="part" aria-labelledby="sentences-title">
      <h2 id="sentences-title">Sentence by sentence</h2>
      {mixed && <p class="note">Mixed: strong sentences of both kinds stand in this text.</p>}
      <ol class="sentences">
        {sentences.map((sentence) => (
          <li key={sentence.begin} class={LABEL_NAMES[sentence.label]}>
            <p dir="auto">{cut(sentence)}</p>
            <p class="said">
              <Verdict label={sentence.label} confidence={sentence.confidence} />
              <span class="number">{score(sentence.score)}</span>
            </p>
          </li>
        ))}
      </ol>
    </section>
  );
}
