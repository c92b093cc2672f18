import type { Label } from "../api/messages.ts";
import { LABEL_NAMES, percent } from "./format.ts";

/** Told apart by shape as well as by colour. */
const SHAPES: Record<Label, string> = {
  LABEL_NEGATIVE: "M8 13 2 4h12z",
  LABEL_NEUTRAL: "M2 6h12v4H2z",
  LABEL_POSITIVE: "M8 3l6 9H2z",
};

interface Props {
  readonly label: Label;
  /** 0 to 1; undefined: it is not shown. */
  readonly confidence?: number;
}

export function Verdict({ label, confidence }: Props) {
  const name = LABEL_NAMES[label];
  return (
    <span class={`verdict ${name}`}>
      <svg viewBox="0 0 16 16" width="1em" height="1em" aria-hidden="true">
        <path d={SHAPES[label]} fill="currentColor" />
      </svg>
      <b>{name}</b>
      {confidence !== undefined && <span class="quiet">{percent(confidence)} sure</span>}
    </span>
  );
}
