import { score } from "./format.ts";

/** A score on its scale from -1 to 1: to the left of the middle is negative. */
export function ScoreBar({ value }: { readonly value: number }) {
  const side = value < 0 ? "negative" : "positive";
  const width = Math.abs(value) * 50;
  return (
    <svg
      class="score-bar"
      viewBox="0 0 100 10"
      preserveAspectRatio="none"
      role="img"
      aria-label={`Score ${score(value)}, on a scale from \u22121 to 1`}
    >
      <rect class="track" width="100" height="10" rx="2" />
      <rect class={side} x={value < 0 ? 50 - width : 50} width={width} height="10" />
      <rect class="middle" x="49.75" width="0.5" height="10" />
    </svg>
  );
}
