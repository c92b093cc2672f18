import type { TokenAttribution } from "../api/messages.ts";
import { score } from "../parts/format.ts";
import { heaviest, type Piece, piecesOf } from "./weights.ts";

/** Words that the table names. */
const NAMED = 20;

interface Props {
  readonly text: string;
  readonly words: readonly TokenAttribution[];
}

/** The text, its words coloured by what they add to the score, and the same as a table. */
export function MarkedText({ text, words }: Props) {
  const named = heaviest(words).slice(0, NAMED);
  return (
    <section class="part" aria-labelledby="words-title">
      <h2 id="words-title">Words by their weight</h2>
      <Legend />
      <p class="marked" dir="auto">
        {piecesOf(text, words).map((piece, at) => (
          <Marked key={at} piece={piece} />
        ))}
      </p>
      <details>
        <summary>The heaviest words as a table</summary>
        {named.length === 0 ? <p>No word matters much.</p> : <WordTable words={named} />}
      </details>
    </section>
  );
}

function Marked({ piece: { text, weight, level } }: { readonly piece: Piece }) {
  if (weight === undefined) return <>{text}</>;
  if (level === 0) return <span title={`weight ${score(weight)}`}>{text}</span>;
  const kind = level < 0 ? "negative" : "positive";
  return (
    <mark class={`${kind} level-${Math.abs(level)}`} title={`weight ${score(weight)}`}>
      {text}
    </mark>
  );
}

function Legend() {
  return (
    <p class="legend">
      <mark class="negative level-4">makes it more negative</mark>{" "}
      <mark class="positive level-4">makes it more positive</mark>{" "}
      <span class="quiet">
        A weight is the score less the score without the word; the heaviest has the full colour.
      </span>
    </p>
  );
}

function WordTable({ words }: { readonly words: readonly TokenAttribution[] }) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Word</th>
          <th scope="col" class="number">
            Weight
          </th>
        </tr>
      </thead>
      <tbody>
        {words.map(({ begin, token, weight }) => (
          <tr key={begin}>
            <td dir="auto">{token}</td>
            <td class="number">{score(weight)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
