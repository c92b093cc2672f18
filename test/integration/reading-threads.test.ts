import assert from "node:assert/strict";
import type { Worker } from "node:worker_threads";
import { LongText, Tier } from "../../server/gen/sentiment/v1/sentiment.js";
import { DENSE, HOSTILE } from "../fuzz/texts.js";
import { until } from "../support/held-backend.js";
import { type RepositoryCopy, repositoryCopy } from "../support/repository-copy.js";
import { type RunningApp, runApp } from "../support/running-app.js";
import { scrape } from "../support/scrape.js";
import { sentences } from "../support/sentences.js";
import { outcomeOf } from "../support/status-details.js";
import { seeded } from "../unit/seeded.js";

const tier = Tier.TIER_FAST;
const draw = seeded(7);
const PROSE = sentences(100).join(" ");
const TEXTS = [
  "short",
  PROSE,
  ...DENSE.map((repeat) => repeat(2000, draw)),
  ...Object.values(HOSTILE).map((repeat) => repeat(700, draw)),
];
const PLAIN = { longText: LongText.LONG_TEXT_WINDOWS, sentences: false, explain: false };
const QUESTIONS = [
  PLAIN,
  { ...PLAIN, sentences: true },
  { ...PLAIN, longText: LongText.LONG_TEXT_TRUNCATE },
  { ...PLAIN, longText: LongText.LONG_TEXT_REJECT },
];

describe("a server with TOKENIZERS_PARALLELISM", function () {
  this.timeout(120_000);
  let models: RepositoryCopy;
  /** Those that read, also when they have ended. */
  let threads: Worker[];
  const notice = (thread: Worker) => {
    if (thread.threadName === "sentiment-reading") threads.push(thread);
  };

  before(async () => {
    models = await repositoryCopy("fast");
  });
  after(() => models[Symbol.asyncDispose]());
  beforeEach(() => {
    threads = [];
    process.on("worker", notice);
  });
  afterEach(() => {
    process.off("worker", notice);
  });

  const start = (parallel: boolean) =>
    runApp({
      MODEL_REPOSITORY: models.folder,
      DEFAULT_TIER: "fast",
      MAX_WORKERS: "1",
      // What is compared is what is read, not how long it takes on a busy machine.
      QUEUE_TIMEOUT: "100",
      REQUEST_TIMEOUT: "100",
      TOKENIZERS_PARALLELISM: String(parallel),
    });
  const ask = async ({ client }: RunningApp, question: (typeof QUESTIONS)[number]) => {
    const options = { ...question, skipCache: false };
    const { results } = await client.analyzeBatch({ texts: TEXTS, tier, options });
    return results.map(({ sentiment, error }) => ({ sentiment, error }));
  };
  const one = ({ client }: RunningApp, text: string) =>
    outcomeOf((options) => client.analyze({ text, tier, options: undefined }, options));
  const eventsOf = ({ log }: RunningApp) =>
    log.filter(({ msg }) => msg === "reading thread").map(({ event }) => event);

  it("answers as one without, to the last bit", async () => {
    await using without = await start(false);
    assert.equal(threads.length, 0);
    await using with_ = await start(true);
    assert.equal(threads.length, 1);
    for (const question of QUESTIONS)
      assert.deepEqual(await ask(with_, question), await ask(without, question));
  });

  it("counts what is read in threads and what is not", async () => {
    await using running = await start(true);
    const results = await ask(running, PLAIN);
    const { opsAddress = "" } = running.app;
    const samples = await scrape(opsAddress);
    const answered = results.filter(({ sentiment }) => sentiment !== undefined);
    assert.equal(samples.get("sentiment_tokenize_seconds_count"), answered.length);
  });

  it("loses no call when a reading thread dies, and has another then", async () => {
    await using running = await start(true);
    for (let round = 0; round < 3; round++) {
      const calls = Array.from({ length: 20 }, (_, place) =>
        one(running, `${round} ${place} ${PROSE}`),
      );
      await threads.at(-1)?.terminate();
      assert.ok((await Promise.all(calls)).every((outcome) => "answer" in outcome));
      await until(() => eventsOf(running).length === 2 * (round + 1));
    }
    assert.deepEqual(
      eventsOf(running),
      Array.from({ length: 3 }, () => ["died", "replaced"]).flat(),
    );
  });

  it("answers long texts that are under way when it stops", async () => {
    const running = await start(true);
    const calls = Array.from({ length: 20 }, (_, place) => one(running, `${place} ${PROSE}`));
    await calls[0];
    await running.app[Symbol.asyncDispose]();
    for (const outcome of await Promise.all(calls)) assert.ok("answer" in outcome);
    running.channel.close();
  });
});
