/**
 * What the committed models are worth, asked through the server as a client asks.
 *
 *   make models-score DATA=<data folder>            prints the report
 *   make models-score DATA=<data folder> WRITE=1    also writes it into docs/models.md and the model cards
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createChannel, createClient } from "nice-grpc";
import { startApp } from "../server/app.js";
import { loadConfig } from "../server/config.js";
import { SentimentServiceDefinition } from "../server/gen/sentiment/v1/sentiment.js";
import { asker } from "./scoring/ask.js";
import {
  accuracySection,
  answersTo,
  calibrationSection,
  cascadeSection,
  curveSection,
  explanationSection,
  phraseSection,
} from "./scoring/sections.js";
import { polarOf, readExamples, readSlices } from "./scoring/slices.js";

const MARK = "<!-- scores -->\n";
const EXPLAINED_SENTENCES = 100;
const EXPLAINED_TEXTS = 30;
const SENTENCES_OF_TEXT = 5;

/** Puts the text in place of all that follows the mark. */
async function writeAfterMark(path: string, text: string): Promise<void> {
  const [head = ""] = (await readFile(path, "utf8")).split(MARK);
  await writeFile(path, `${head}${MARK}\n${text}`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { data: { type: "string" }, write: { type: "boolean" } },
  });
  if (values.data === undefined)
    throw new Error("--data names the folder that training/README.md describes");
  const slices = await readSlices(values.data);
  const dev = {
    name: "SST-2 dev",
    examples: polarOf(await readExamples(join(values.data, "sst-dev.tsv"))),
    polar: true,
  };
  const config = loadConfig({
    GRPC_PORT: "0",
    HTTP_PORT: "0",
    LOG_LEVEL: "error",
    // Each text costs what the model costs, however often it was asked for.
    ENABLE_CACHING: "false",
    REQUEST_TIMEOUT: "600",
  });
  await using app = await startApp(config);
  const channel = createChannel(app.address);
  const ask = asker(createClient(SentimentServiceDefinition, channel));

  const [sst2] = slices;
  if (sst2 === undefined) throw new Error("no slices");
  const answers = await answersTo(slices, ask);
  const devTexts = dev.examples.map(({ text }) => text);
  const sentences = sst2.examples.slice(0, EXPLAINED_SENTENCES).map(({ text }) => text);
  // Over 64 words, where not every word is asked for.
  const long = Array.from({ length: EXPLAINED_TEXTS }, (_, n) =>
    sst2.examples
      .slice(SENTENCES_OF_TEXT * n, SENTENCES_OF_TEXT * (n + 1))
      .map(({ text }) => text)
      .join(" "),
  );
  const report = [
    [
      "Accuracy",
      "Share that is right, with its 95 % interval (Wilson).",
      accuracySection(slices, answers),
    ],
    [
      "Calibration",
      "Expected calibration error over 15 bins of the confidence.",
      calibrationSection(slices, answers),
    ],
    ["Phrases", "Label and confidence.", await phraseSection(ask)],
    [
      "The cascade's threshold",
      "`TIER_AUTO` on the SST-2 dev sentences, for any threshold of fast's confidence.",
      curveSection(dev, await ask("fast", devTexts), await ask("accurate", devTexts)),
    ],
    [
      "The cascade as it is served",
      "At the threshold of the repository.",
      await cascadeSection(sst2, answers, ask),
    ],
    [
      "Explanations",
      "Leaving out the word of the largest weight changes the score more than leaving out another word by chance, through the server. Of sentences every word is asked for, so that only ties fail; of texts of five sentences, most of them over 64 words, only the parts that matter.",
      await explanationSection({ sentences, "texts of five sentences": long }, ask),
    ],
  ].map(([title, what, table]) => `### ${title}\n\n${what}\n\n${table}`);
  channel.close();
  process.stdout.write(report.join("\n"));
  if (!values.write) return;
  await writeAfterMark("docs/models.md", report.join("\n"));
  for (const tier of ["fast", "balanced", "accurate"] as const) {
    const card = join(config.modelRepository, `sentiment_${tier}`, "README.md");
    await writeAfterMark(card, accuracySection(slices, answers, [tier]));
  }
}

await main();
