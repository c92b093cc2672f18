/**
 * Accuracy of the committed models, asked through the server as a client asks: one table a tier.
 *
 *   make models-score DATA=<data folder>            prints them
 *   make models-score DATA=<data folder> WRITE=1    also writes them into the model cards
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createChannel, createClient } from "nice-grpc";
import { startApp } from "../server/app.js";
import { loadConfig } from "../server/config.js";
import { LABELS, type Label, type Tier } from "../server/core/tiers.js";
import {
  Label as LabelMessage,
  type Sentiment,
  type SentimentServiceClient,
  SentimentServiceDefinition,
  Tier as TierMessage,
} from "../server/gen/sentiment/v1/sentiment.js";

const MARK = "<!-- scores -->\n";
const TIERS = new Map<Tier, TierMessage>([
  ["fast", TierMessage.TIER_FAST],
  ["balanced", TierMessage.TIER_BALANCED],
]);
const WORDS: Readonly<Record<string, Label>> = {
  ...Object.fromEntries(LABELS.map((label) => [label, label])),
  ...{ "0": "negative", "1": "negative", "2": "neutral", "3": "positive", "4": "positive" },
};

interface Example {
  readonly text: string;
  readonly label: Label;
}

interface Score {
  readonly set: string;
  readonly right: number;
  readonly all: number;
}

async function examplesOf(path: string): Promise<readonly Example[]> {
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

async function sentimentsOf(
  client: SentimentServiceClient,
  tier: TierMessage,
  examples: readonly Example[],
): Promise<readonly Sentiment[]> {
  const found: Sentiment[] = [];
  for (let first = 0; first < examples.length; first += 100) {
    const texts = examples.slice(first, first + 100).map(({ text }) => text);
    const { results } = await client.analyzeBatch({ texts, tier, options: undefined });
    for (const { sentiment, error, index } of results) {
      if (sentiment === undefined) throw new Error(`${texts[index]}: ${error?.message}`);
      found.push(sentiment);
    }
  }
  return found;
}

const ofLabel: Readonly<Record<Label, LabelMessage>> = {
  negative: LabelMessage.LABEL_NEGATIVE,
  neutral: LabelMessage.LABEL_NEUTRAL,
  positive: LabelMessage.LABEL_POSITIVE,
};

/** Right where the most probable of the three classes is the label. */
function threeClasses(
  set: string,
  examples: readonly Example[],
  found: readonly Sentiment[],
): Score {
  const right = examples.filter(
    ({ label }, place) => found[place]?.label === ofLabel[label],
  ).length;
  return { set, right, all: examples.length };
}

/** Without the neutral ones; right where p(positive) > p(negative) agrees with the label. */
function polarity(set: string, examples: readonly Example[], found: readonly Sentiment[]): Score {
  const polar = examples.flatMap(({ label }, place) =>
    label === "neutral"
      ? []
      : [{ positive: label === "positive", score: found[place]?.score ?? 0 }],
  );
  return {
    set,
    right: polar.filter(({ positive, score }) => score > 0 === positive).length,
    all: polar.length,
  };
}

/** Wilson's 95 % interval of a share. */
function interval({ right, all }: Score): readonly [number, number] {
  const z = 1.96;
  const share = right / all;
  const centre = (share + (z * z) / (2 * all)) / (1 + (z * z) / all);
  const half =
    (z / (1 + (z * z) / all)) * Math.sqrt((share * (1 - share)) / all + (z * z) / (4 * all * all));
  return [centre - half, centre + half];
}

function table(scores: readonly Score[]): string {
  const rows = scores.map((score) => {
    const [low, high] = interval(score).map((bound) => bound.toFixed(4));
    return `| ${score.set} | ${(score.right / score.all).toFixed(4)} | ${low} to ${high} | ${score.all} |`;
  });
  return ["| set | accuracy | 95 % interval | texts |", "|---|---|---|---|", ...rows, ""].join(
    "\n",
  );
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { data: { type: "string" }, write: { type: "boolean" } },
  });
  if (values.data === undefined)
    throw new Error("--data names the folder with sst-test.tsv and tweets-dev.tsv");
  const sst = await examplesOf(join(values.data, "sst-test.tsv"));
  const tweets = await examplesOf(join(values.data, "tweets-dev.tsv"));
  const config = loadConfig({ GRPC_PORT: "0", LOG_LEVEL: "error" });
  await using app = await startApp(config);
  const channel = createChannel(app.address);
  const client: SentimentServiceClient = createClient(SentimentServiceDefinition, channel);
  for (const [tier, message] of TIERS) {
    const found = await sentimentsOf(client, message, sst);
    const scores = table([
      polarity("SST-2 test: positive or negative", sst, found),
      threeClasses("SST test: three classes", sst, found),
      threeClasses(
        "TweetEval validation: three classes",
        tweets,
        await sentimentsOf(client, message, tweets),
      ),
    ]);
    process.stdout.write(`sentiment_${tier}\n\n${scores}\n`);
    if (!values.write) continue;
    const card = join(config.modelRepository, `sentiment_${tier}`, "README.md");
    const [head = ""] = (await readFile(card, "utf8")).split(MARK);
    await writeFile(card, `${head}${MARK}\n${scores}`);
  }
  channel.close();
}

await main();
