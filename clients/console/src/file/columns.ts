import type { Outcome } from "../api/ask-texts.ts";
import { AskError } from "../api/errors.ts";
import { LABEL_NAMES, TIER_NAMES } from "../parts/format.ts";
import type { Row } from "./csv-reader.ts";

const ADDED = [
  "sentiment_label",
  "sentiment_score",
  "sentiment_confidence",
  "sentiment_negative",
  "sentiment_neutral",
  "sentiment_positive",
  "sentiment_tier",
  "sentiment_error",
];

/** Names of the columns that are added; where the file has one of them, all get a number. */
export function addedColumns(columns: readonly string[]): readonly string[] {
  for (let number = 1; ; number++) {
    const names = number === 1 ? ADDED : ADDED.map((name) => `${name}_${number}`);
    if (!names.some((name) => columns.includes(name))) return names;
  }
}

/** A row with what became of its text behind its `width` columns; cells beyond those come last. */
export function withOutcome(row: Row, width: number, outcome: Outcome): Row {
  const cells = Array.from({ length: width }, (_, at) => row[at] ?? "");
  return [...cells, ...cellsOf(outcome), ...row.slice(width)];
}

function cellsOf(outcome: Outcome): Row {
  if (outcome instanceof AskError) return [...Array(7).fill(""), outcome.reason || outcome.message];
  const { label, score, confidence, probabilities, tier } = outcome;
  const { negative, neutral, positive } = probabilities;
  return [
    LABEL_NAMES[label],
    ...[score, confidence, negative, neutral, positive].map(String),
    TIER_NAMES[tier],
    "",
  ];
}
