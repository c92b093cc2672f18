import { Label } from "../../server/gen/sentiment/v1/sentiment.js";

const NAMES = new Map<Label, string>([
  [Label.LABEL_NEGATIVE, "negative"],
  [Label.LABEL_NEUTRAL, "neutral"],
  [Label.LABEL_POSITIVE, "positive"],
]);

/** As labels.txt calls it, and so the peers; "none" where there is no answer. */
export const nameOf = (label: Label | undefined): string => NAMES.get(label ?? 0) ?? "none";
