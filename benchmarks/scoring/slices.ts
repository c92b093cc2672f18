import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { LABELS, type Label } from "../../server/core/tiers.js";
import { Label as LabelMessage, type Sentiment } from "../../server/gen/sentiment/v1/sentiment.js";
import type { Score } from "./statistics.js";

export interface Example {
  readonly text: string;
  readonly label: Label;
}

/** A set of labelled texts that no model was trained on. */
export interface Slice {
  readonly name: string;
  readonly examples: readonly Example[];
  /** Scored as positive against negative, neutral examples left out; else as three classes. */
  readonly polar: boolean;
}

const WORDS: Readonly<Record<string, Label>> = {
  ...Object.fromEntries(LABELS.map((label) => [label, label])),
  ...{ "0": "negative", "1": "negative", "2": "neutral", "3": "positive", "4": "positive" },
};
const MESSAGE: Readonly<Record<Label, LabelMessage>> = {
  negative: LabelMessage.LABEL_NEGATIVE,
  neutral: LabelMessage.LABEL_NEUTRAL,
  positive: LabelMessage.LABEL_POSITIVE,
};

/** Tab-separated with a header line; labels are words or five grades. */
export async function readExamples(path: string): Promise<readonly Example[]> {
  const [header = "", ...rows] = (await readFile(path, "utf8")).trimEnd().split("\n");
  const columns = header.split("\t");
  return rows.map((row) => {
    const cells = row.split("\t");
    const label = WORDS[cells[columns.indexOf("label")] ?? ""];
    const text = cells[columns.indexOf("text")];
    if (label === undefined || text === undefined)
      throw new Error(`${path}: cannot read the row "${row}"`);
    return { text, label };
  });
}

/** Every tenth example, as the training leaves them out. */
const heldOut = (examples: readonly Example[]) => examples.filter((_, place) => place % 10 === 0);

/** Those with an opinion. */
export const polarOf = (examples: readonly Example[]) =>
  examples.filter(({ label }) => label !== "neutral");

/** `data` is the folder that training/README.md describes. */
export async function readSlices(data: string): Promise<readonly Slice[]> {
  const of = (file: string) => readExamples(join(data, file));
  const own = (file: string) => readExamples(join("training/slices", file));
  const sst = await of("sst-test.tsv");
  return [
    { name: "SST-2 test", examples: polarOf(sst), polar: true },
    { name: "SST test", examples: sst, polar: false },
    { name: "TweetEval validation", examples: await of("tweets-dev.tsv"), polar: false },
    {
      name: "customer reviews, held-out tenth",
      examples: heldOut(await of("customer-reviews.tsv")),
      polar: true,
    },
    {
      name: "Amazon reviews, held-out tenth",
      examples: heldOut(await of("amazon-reviews.tsv")),
      polar: false,
    },
    { name: "negation", examples: await own("negation.tsv"), polar: false },
    { name: "emoji", examples: await own("emoji.tsv"), polar: false },
  ];
}

/** What the answers, one an example, are worth on the slice. */
export function scoreOf({ examples, polar }: Slice, answers: readonly Sentiment[]): Score {
  const scored = examples.flatMap(({ label }, place) => {
    if (polar && label === "neutral") return [];
    const answer = answers[place];
    return [polar ? (answer?.score ?? 0) > 0 === (label === "positive") : isRight(label, answer)];
  });
  return { right: scored.filter(Boolean).length, all: scored.length };
}

/** Right where the most probable of the three classes is the label. */
export const isRight = (label: Label, answer: Sentiment | undefined): boolean =>
  answer?.label === MESSAGE[label];
