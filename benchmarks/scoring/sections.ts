import { Label, type Sentiment, Tier } from "../../server/gen/sentiment/v1/sentiment.js";
import { seeded } from "../texts.js";
import { type Ask, TIER_NAMES, type TierName } from "./ask.js";
import { type Example, isRight, type Slice, scoreOf } from "./slices.js";
import { calibrationError, type Score, share, table, withInterval } from "./statistics.js";

/** What every tier said of every slice. */
export type Answers = ReadonlyMap<TierName, readonly (readonly Sentiment[])[]>;

export async function answersTo(slices: readonly Slice[], ask: Ask): Promise<Answers> {
  const answers = new Map<TierName, readonly (readonly Sentiment[])[]>();
  for (const tier of TIER_NAMES) {
    const found: (readonly Sentiment[])[] = [];
    for (const { examples } of slices) found.push(await ask(tier, textsOf(examples)));
    answers.set(tier, found);
  }
  return answers;
}

const textsOf = (examples: readonly Example[]) => examples.map(({ text }) => text);

/** Accuracy by slice, a column a tier. */
export function accuracySection(
  slices: readonly Slice[],
  answers: Answers,
  tiers: readonly TierName[] = TIER_NAMES,
): string {
  const rows = slices.map((slice, place) => {
    const scores = tiers.map((tier) => scoreOf(slice, answers.get(tier)?.[place] ?? []));
    const kind = slice.polar ? "positive or negative" : "three classes";
    return [slice.name, kind, scores[0]?.all ?? 0, ...scores.map(withInterval)];
  });
  return table(["set", "scored as", "texts", ...tiers], rows);
}

/** How far the confidences are from the truth, by slice of three classes. */
export function calibrationSection(slices: readonly Slice[], answers: Answers): string {
  const rows = slices.flatMap((slice, place) => {
    if (slice.polar) return [];
    const errors = TIER_NAMES.map((tier) =>
      calibrationError(
        slice.examples.map(({ label }, index) => {
          const answer = answers.get(tier)?.[place]?.[index];
          return { confidence: answer?.confidence ?? 0, right: isRight(label, answer) };
        }),
      ).toFixed(4),
    );
    return [[slice.name, ...errors]];
  });
  return table(["set", ...TIER_NAMES], rows);
}

const PHRASES = [
  "great product",
  "excellent service",
  "love it",
  "good",
  "not satisfied",
  "poor quality",
  "hate it",
  "okay",
] as const;
const NAMES: Readonly<Partial<Record<Label, string>>> = {
  [Label.LABEL_NEGATIVE]: "negative",
  [Label.LABEL_NEUTRAL]: "neutral",
  [Label.LABEL_POSITIVE]: "positive",
};

/** The phrases that people try first. */
export async function phraseSection(ask: Ask): Promise<string> {
  const columns = await Promise.all(TIER_NAMES.map((tier) => ask(tier, PHRASES)));
  const rows = PHRASES.map((phrase, place) => [
    phrase,
    ...columns.map((answers) => {
      const { label = Label.LABEL_UNSPECIFIED, confidence = 0 } = answers[place] ?? {};
      return `${NAMES[label] ?? "?"} ${confidence.toFixed(2)}`;
    }),
  ]);
  return table(["phrase", ...TIER_NAMES], rows);
}

const THRESHOLDS = [0, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 1.01];

/** Accuracy of a cascade over thresholds, from what its two models say of the same texts. */
export function curveSection(
  slice: Slice,
  fast: readonly Sentiment[],
  accurate: readonly Sentiment[],
): string {
  const best = share(scoreOf(slice, accurate));
  const rows = THRESHOLDS.map((threshold) => {
    const passedOn = fast.map(({ confidence }) => confidence < threshold);
    const answers = fast.map((answer, place) => (passedOn[place] ? accurate[place] : answer));
    const score = scoreOf(slice, answers as Sentiment[]);
    return [
      threshold > 1 ? "all go on" : threshold.toFixed(2),
      `${((100 * passedOn.filter(Boolean).length) / fast.length).toFixed(1)} %`,
      withInterval(score),
      `${((100 * share(score)) / best).toFixed(1)} %`,
    ];
  });
  return table(["threshold", "to accurate", "accuracy", "of accurate's"], rows);
}

/** CPU time of the whole server for the texts, in seconds. */
async function cpuSeconds(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/** What the cascade keeps and costs at the threshold of the repository; accurate and auto take turns. */
export async function cascadeSection(slice: Slice, answers: Answers, ask: Ask): Promise<string> {
  const texts = textsOf(slice.examples);
  const [auto = [], accurate = []] = [answers.get("auto")?.[0], answers.get("accurate")?.[0]];
  const ratios: number[] = [];
  for (let round = 0; round < 3; round++) {
    const whole = await cpuSeconds(() => ask("accurate", texts));
    ratios.push((await cpuSeconds(() => ask("auto", texts))) / whole);
  }
  ratios.sort((one, other) => one - other);
  const [least = 0, median = 0, most = 0] = ratios.map((ratio) => 100 * ratio);
  const byAccurate = auto.filter(({ tier }) => tier === Tier.TIER_ACCURATE).length;
  const kept = share(scoreOf(slice, auto)) / share(scoreOf(slice, accurate));
  return table(
    ["", "on SST-2 test"],
    [
      ["accuracy, of accurate's", `${(100 * kept).toFixed(1)} %`],
      ["texts that go on to accurate", `${((100 * byAccurate) / auto.length).toFixed(1)} %`],
      [
        "CPU time, of accurate's (median of 3, least to most)",
        `${median.toFixed(1)} % (${least.toFixed(1)} to ${most.toFixed(1)})`,
      ],
    ],
  );
}

/** Whether leaving out the word of the largest weight changes the score more than leaving out a word by chance. */
export async function explanationSection(
  kinds: Readonly<Record<string, readonly string[]>>,
  ask: Ask,
): Promise<string> {
  const rows: (string | number)[][] = [];
  for (const [kind, texts] of Object.entries(kinds)) {
    for (const tier of TIER_NAMES.filter((name) => name !== "auto")) {
      const score = await explained(tier, texts, ask);
      rows.push([kind, tier, score.all, withInterval(score)]);
    }
  }
  return table(["texts", "tier", "count", "share"], rows);
}

async function explained(tier: TierName, texts: readonly string[], ask: Ask): Promise<Score> {
  const chance = seeded(1);
  const whole = await ask(tier, texts, { explain: true });
  const pairs = whole.map(({ attributions }, place) => {
    const by = (other: { weight: number }) => Math.abs(other.weight);
    const top = [...attributions].sort((one, other) => by(other) - by(one))[0];
    const others = attributions.filter((word) => word !== top);
    const any = others[Math.floor(chance() * others.length)];
    const points = [...(texts[place] ?? "")];
    const without = (word = { begin: 0, end: 0 }) =>
      [...points.slice(0, word.begin), ...points.slice(word.end)].join("");
    return [without(top), without(any)] as const;
  });
  const [top, any] = await Promise.all([
    ask(
      tier,
      pairs.map(([text]) => text),
    ),
    ask(
      tier,
      pairs.map(([, text]) => text),
    ),
  ]);
  const change = (answers: readonly Sentiment[], place: number) =>
    Math.abs((answers[place]?.score ?? 0) - (whole[place]?.score ?? 0));
  const right = texts.filter((_, place) => change(top, place) > change(any, place)).length;
  return { right, all: texts.length };
}
