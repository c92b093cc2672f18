import { Label, Tier } from "../../server/gen/sentiment/v1/sentiment.js";
import type { Outcome } from "./client.js";

const LABELS = new Map<Label, string>([
  [Label.LABEL_NEGATIVE, "NEGATIVE"],
  [Label.LABEL_NEUTRAL, "NEUTRAL"],
  [Label.LABEL_POSITIVE, "POSITIVE"],
]);
const TIERS = new Map<Tier, string>([
  [Tier.TIER_FAST, "fast"],
  [Tier.TIER_BALANCED, "balanced"],
  [Tier.TIER_ACCURATE, "accurate"],
]);

/** One line for a person: label, score, confidence, text. */
export function textLine(outcome: Outcome): string {
  if ("error" in outcome) return `ERROR     ${outcome.error.reason}: ${outcome.error.message}\n`;
  const { label, score, confidence } = outcome.sentiment;
  const name = (LABELS.get(label) ?? "UNKNOWN").padEnd(8);
  const signed = `${score < 0 ? "" : "+"}${score.toFixed(3)}`;
  return `${name}  ${signed}  ${(confidence * 100).toFixed(1).padStart(5)} %  ${outcome.text}\n`;
}

/** One JSON object on a line for a program. */
export function jsonLine(outcome: Outcome): string {
  if ("error" in outcome) return `${JSON.stringify(outcome)}\n`;
  const {
    label,
    score,
    confidence,
    probabilities,
    tier,
    model,
    modelVersion,
    tokenCount,
    analyzedTokenCount,
  } = outcome.sentiment;
  return `${JSON.stringify({
    text: outcome.text,
    label: LABELS.get(label) ?? "UNKNOWN",
    score,
    confidence,
    probabilities,
    tier: TIERS.get(tier) ?? "unknown",
    model,
    modelVersion,
    tokenCount,
    analyzedTokenCount,
  })}\n`;
}
