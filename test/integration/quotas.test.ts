import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { type Channel, createChannel, createClient, Metadata } from "nice-grpc";
import { Status } from "nice-grpc-common";
import { QuotaFailure, RetryInfo } from "../../server/gen/google/rpc/error_details.js";
import { Status as StatusMessage } from "../../server/gen/google/rpc/status.js";
import { GRPCInferenceServiceDefinition } from "../../server/gen/inference/grpc_service.js";
import {
  type AnalyzeStreamResponse,
  CacheTier,
  LongText,
  SentimentServiceDefinition,
  Tier,
} from "../../server/gen/sentiment/v1/sentiment.js";
import { OWN_CONNECTION } from "../support/counted-load.js";
import { inferRequest } from "../support/infer-messages.js";
import { type KeyFolder, keyFolder } from "../support/key-folder.js";
import { addLimitedKey } from "../support/limited-keys.js";
import { type RedisServer, startRedis } from "../support/redis-server.js";
import { type RepositoryCopy, repositoryCopy } from "../support/repository-copy.js";
import { type RunningApp, runApp } from "../support/running-app.js";
import { countsOf, scrape } from "../support/scrape.js";
import { type ServerProcess, startServer } from "../support/server-process.js";
import { detailsOf, type Failure, failureOf, outcomeOf } from "../support/status-details.js";

const tier = Tier.TIER_FAST;
const { CACHE_TIER_MEMORY: MEMORY } = CacheTier;
/** Far from being let in again while a test runs. */
const QUOTA = 60;
/** Of each text, by the model and by estimate: over a third of the quota, so that two are let in. */
const COST = 26;
const TEXTS = Array.from(
  { length: 8 },
  (_, number) =>
    `${["One", "Two", "Six", "Ten", "All", "Few", "His", "Her"][number]} of us liked the long film about bees, and the soup that was so very good for all of us too.`,
);
const RATE_LIMITED = "RATE_LIMITED";

const withKey = (key: string) => Metadata({ "x-api-key": key });

interface Asked {
  readonly answered: number;
  readonly failures: readonly Failure[];
}

/** Asks for each text alone, one after the other. */
async function askAll(channel: Channel, metadata: Metadata, texts = TEXTS): Promise<Asked> {
  const client = createClient(SentimentServiceDefinition, channel);
  const failures: Failure[] = [];
  let answered = 0;
  for (const text of texts) {
    const outcome = await outcomeOf((options) =>
      client.analyze({ text, tier, options: undefined }, { ...options, metadata }),
    );
    if ("failure" in outcome) failures.push(outcome.failure);
    else answered++;
  }
  return { answered, failures };
}

const areRateLimited = (failures: readonly Failure[]) => {
  for (const { code, reason, retryAfterSeconds = 0 } of failures) {
    assert.deepEqual([code, reason], [Status.RESOURCE_EXHAUSTED, RATE_LIMITED]);
    assert.ok(retryAfterSeconds > 0 && retryAfterSeconds < 60, `${retryAfterSeconds}`);
  }
};

describe("a server with quotas", function () {
  this.timeout(30_000);
  let folder: KeyFolder;
  let repository: RepositoryCopy;
  let opened: AsyncDisposableStack;
  let small: string;
  let other: string;
  let free: string;
  before(async () => {
    repository = await repositoryCopy("fast");
    folder = await keyFolder();
    small = await addLimitedKey(folder.file, "small", QUOTA);
    other = await addLimitedKey(folder.file, "other", QUOTA);
    free = await addLimitedKey(folder.file, "free", undefined);
  });
  after(async () => {
    await repository[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    opened = new AsyncDisposableStack();
  });
  afterEach(() => opened.disposeAsync());

  const envWith = (env: Readonly<Record<string, string>> = {}) => ({
    MODEL_REPOSITORY: repository.folder,
    DEFAULT_TIER: "fast",
    WARM_UP_FILE: "/dev/null",
    API_KEYS_FILE: folder.file,
    ...env,
  });
  const running = async (env: Readonly<Record<string, string>> = {}): Promise<RunningApp> =>
    opened.use(await runApp(envWith(env)));
  const countsIn = async ({ app }: RunningApp, name: string) =>
    countsOf(await scrape(app.opsAddress ?? ""), name);

  it("refuses what a key has no more tokens for, and touches no other key", async () => {
    const server = await running();
    const asked = await askAll(server.channel, withKey(small));
    assert.deepEqual([asked.answered, asked.failures.length], [2, 6]);
    areRateLimited(asked.failures);
    assert.match(asked.failures[0]?.message ?? "", /^The quota of small \(60 tokens a minute\)/);
    assert.equal((await askAll(server.channel, withKey(other))).answered, 2);
    assert.equal((await askAll(server.channel, withKey(free))).answered, 8);

    const texts = await countsIn(server, "sentiment_texts_total");
    assert.deepEqual(texts, { "Analyze ok": 12, "Analyze RATE_LIMITED": 12 });
    assert.deepEqual(await countsIn(server, "sentiment_shed_total"), { rate_limited: 12 });
    assert.deepEqual(await countsIn(server, "sentiment_quota_tokens_total"), {
      charged: 4 * COST,
      refused: 12 * COST,
    });
    const told = server.log.filter(({ msg }) => msg === "over its quota: refused");
    assert.deepEqual(
      told.map(({ holder, tokensPerMinute }) => [holder, tokensPerMinute]),
      [
        ["small", QUOTA],
        ["other", QUOTA],
      ],
    );
  });

  it("tells of the quota and of when to come again, to people, machines and gRPC's own retries", async () => {
    const server = await running();
    await askAll(server.channel, withKey(small), TEXTS.slice(0, 2));
    let trailer = Metadata();
    const onTrailer = (received: Metadata) => {
      trailer = received;
    };
    const request = { text: TEXTS[2] ?? "", tier, options: undefined };
    await assert.rejects(server.client.analyze(request, { metadata: withKey(small), onTrailer }), {
      code: Status.RESOURCE_EXHAUSTED,
    });
    const { details, message } = StatusMessage.decode(
      trailer.get("grpc-status-details-bin") ?? new Uint8Array(),
    );
    const find = (name: string) =>
      details.find(({ typeUrl }) => typeUrl.endsWith(`.${name}`))?.value ?? new Uint8Array();
    const [violation] = QuotaFailure.decode(find("QuotaFailure")).violations;
    assert.deepEqual(
      [violation?.subject, violation?.quotaId, violation?.quotaValue, violation?.description],
      ["key:small", "tokens-per-minute", QUOTA, message],
    );
    const { seconds = 0, nanos = 0 } = RetryInfo.decode(find("RetryInfo")).retryDelay ?? {};
    const pushbackMs = Number(trailer.get("grpc-retry-pushback-ms"));
    assert.equal(pushbackMs, seconds * 1000 + nanos / 1e6);
    // One flows in each second; some have since the first.
    const missingMs = (3 * COST - QUOTA) * 1000;
    assert.ok(pushbackMs > 0 && pushbackMs <= missingMs, `${pushbackMs}`);
  });

  it("refuses a batch, and a ModelInfer, as a whole", async () => {
    const server = await running();
    const metadata = withKey(small);
    const batch = (texts: readonly string[]) =>
      outcomeOf((options) =>
        server.client.analyzeBatch(
          { texts: [...texts], tier, options: undefined },
          { ...options, metadata },
        ),
      );
    const first = await batch(TEXTS);
    assert.ok("answer" in first, "what is worth more than the quota is let in while it is whole");
    assert.ok(first.answer.results.every(({ sentiment }) => sentiment));
    const second = await batch(TEXTS.slice(0, 1));
    assert.ok("failure" in second);
    assert.equal(second.failure.reason, RATE_LIMITED);
    // 208 of 60 were spent: a debt.
    assert.ok((second.failure.retryAfterSeconds ?? 0) > 120);
    const kserve = createClient(GRPCInferenceServiceDefinition, server.channel);
    const infer = await failureOf((options) =>
      kserve.modelInfer(inferRequest(TEXTS.slice(0, 2)), { ...options, metadata }),
    );
    assert.equal(infer.reason, RATE_LIMITED);
    assert.deepEqual(await countsIn(server, "sentiment_texts_total"), {
      "AnalyzeBatch ok": 8,
      "AnalyzeBatch RATE_LIMITED": 1,
      "ModelInfer RATE_LIMITED": 2,
    });
  });

  it("charges nothing for what a cache answers, nor for what is refused for its text", async () => {
    const server = await running({ ENABLE_CACHING: "true" });
    const metadata = withKey(small);
    await askAll(server.channel, metadata, TEXTS.slice(0, 1));
    const request = { text: TEXTS[0] ?? "", tier, options: undefined };
    for (let call = 0; call < 20; call++) {
      const { sentiment } = await server.client.analyze(request, { metadata });
      assert.equal(sentiment?.cache, MEMORY);
    }
    for (let call = 0; call < 5; call++)
      await failureOf((options) =>
        server.client.analyze({ ...request, text: " " }, { ...options, metadata }),
      );
    assert.deepEqual(await countsIn(server, "sentiment_quota_tokens_total"), { charged: COST });
    assert.equal((await askAll(server.channel, metadata, TEXTS.slice(1, 2))).answered, 1);
  });

  it("charges all that the models read for sentences and explanations", async () => {
    const server = await running();
    const request = { text: TEXTS[0] ?? "", tier };
    const options = {
      explain: true,
      sentences: false,
      skipCache: false,
      longText: LongText.LONG_TEXT_WINDOWS,
    };
    await server.client.analyze({ ...request, options }, { metadata: withKey(small) });
    const { charged = 0 } = await countsIn(server, "sentiment_quota_tokens_total");
    // The text, and once more for each of its 22 words, without that one.
    assert.ok(charged > COST + 20 * (COST - 2) && charged < 24 * COST, `${charged}`);
  });

  /** Sends the texts through a stream; the answers, with the time of each since the beginning. */
  async function streamed(server: RunningApp, metadata: Metadata, texts: readonly string[]) {
    const startedMs = performance.now();
    let read = 0;
    const answers: (AnalyzeStreamResponse & { readonly atMs: number })[] = [];
    async function* requests() {
      for (const [index, text] of texts.entries()) {
        read++;
        yield { id: String(index), text, tier, options: undefined };
      }
    }
    for await (const answer of server.client.analyzeStream(requests(), { metadata }))
      answers.push({ ...answer, atMs: performance.now() - startedMs });
    return { answers, read };
  }

  it("has a stream wait for its quota, and answer all of it", async () => {
    const quick = await keyFolder();
    opened.use(quick);
    // 100 tokens a second.
    const key = await addLimitedKey(quick.file, "quick", 6000);
    const server = await running({ API_KEYS_FILE: quick.file });
    // 6,400 tokens, by an estimate of 3,300: a debt of four seconds.
    const texts = Array<string>(100).fill("x ".repeat(62));
    await server.client.analyzeBatch(
      { texts, tier, options: undefined },
      { metadata: withKey(key) },
    );
    const { answers } = await streamed(server, withKey(key), TEXTS);
    assert.equal(answers.length, TEXTS.length);
    for (const { sentiment } of answers) assert.ok(sentiment);
    assert.ok((answers.at(-1)?.atMs ?? 0) > 1000, "nothing waited");
    assert.deepEqual(await countsIn(server, "sentiment_shed_total"), {});
  });

  it("refuses a text of a stream whose time is over before its turn", async () => {
    const server = await running({ REQUEST_TIMEOUT: "1" });
    const metadata = withKey(small);
    await askAll(server.channel, metadata, TEXTS.slice(0, 2));
    const { answers } = await streamed(server, metadata, TEXTS.slice(2, 4));
    assert.deepEqual(
      answers.map(({ error }) => error && detailsOf(error).reason),
      [RATE_LIMITED, RATE_LIMITED],
    );
    for (const [place, { atMs }] of answers.entries())
      assert.ok(atMs >= 990 * (place + 1), `${place}: ${atMs}`);
    assert.deepEqual(await countsIn(server, "sentiment_shed_total"), { rate_limited: 2 });
  });

  it("counts in shadow mode who would have been refused, and refuses nobody", async () => {
    const server = await running({ QUOTA_MODE: "shadow" });
    const { answered } = await askAll(server.channel, withKey(small));
    assert.equal(answered, 8);
    assert.deepEqual(await countsIn(server, "sentiment_quota_tokens_total"), {
      charged: 2 * COST,
      shadow_refused: 6 * COST,
    });
    assert.deepEqual(await countsIn(server, "sentiment_shed_total"), {});
    assert.ok(server.log.some(({ msg }) => /^over its quota, and let in/.test(String(msg))));
  });

  it("gives a key that says nothing the default", async () => {
    const server = await running({ TOKENS_PER_MINUTE: "30" });
    assert.equal((await askAll(server.channel, withKey(free))).answered, 1);
    assert.equal((await askAll(server.channel, withKey(small))).answered, 2);
  });

  it("goes by addresses where there are no keys", async () => {
    const server = await running({ API_KEYS_FILE: "", TOKENS_PER_MINUTE: String(QUOTA) });
    const asked = await askAll(server.channel, Metadata());
    assert.equal(asked.answered, 2);
    areRateLimited(asked.failures);
    assert.match(asked.failures[0]?.message ?? "", /^The quota of 127\.0\.0\.1 /);
    const kserve = createClient(GRPCInferenceServiceDefinition, server.channel);
    const infer = await failureOf((options) => kserve.modelInfer(inferRequest(TEXTS), options));
    assert.match(infer.message, /^The (call costs .* of|quota of) 127\.0\.0\.1 /);
    // Another port of the same address is the same caller; another address is none.
    const again = createChannel(server.app.address, undefined, OWN_CONNECTION);
    assert.equal((await askAll(again, Metadata())).answered, 0);
    again.close();
  });

  describe("shared by several", () => {
    /** Answers of the first one, then of the second at its first call, and, once they have told each other, at its next ones. */
    async function answeredBy([first, second]: readonly Channel[], metadata: Metadata) {
      assert.ok(first && second);
      const answered: number[] = [];
      for (const [channel, texts] of [
        [first, TEXTS.slice(0, 4)],
        [second, TEXTS.slice(4, 5)],
        [second, TEXTS.slice(5)],
      ] as const) {
        answered.push((await askAll(channel, metadata, texts)).answered);
        await sleep(600);
      }
      return answered;
    }
    /** The second one does not know of the first one's until it has spent something. */
    const SHARED = [2, 1, 0];
    const ALONE = [2, 1, 1];
    const channelsTo = (...servers: readonly { readonly address: string }[]) => {
      const channels = servers.map(({ address }) =>
        createChannel(address, undefined, OWN_CONNECTION),
      );
      opened.defer(() => {
        for (const channel of channels) channel.close();
      });
      return channels;
    };

    it("servers, by Redis, which may be gone meanwhile", async () => {
      let redis: RedisServer = opened.use(await startRedis());
      const env = { REDIS_URL: redis.url };
      const [one, two] = [await running(env), await running(env)];
      const channels = [one.channel, two.channel];
      assert.deepEqual(await answeredBy(channels, withKey(small)), SHARED);
      assert.ok(((await countsIn(one, "sentiment_quota_syncs_total"))["shared"] ?? 0) > 0);

      await redis.kill();
      assert.deepEqual(await answeredBy(channels, withKey(other)), ALONE);
      for (const server of [one, two]) {
        assert.ok(((await countsIn(server, "sentiment_quota_syncs_total"))["alone"] ?? 0) > 0);
        assert.ok(server.log.some(({ msg }) => /quotas are not shared/.test(String(msg))));
      }
      redis = opened.use(await startRedis({ port: redis.port }));
      await sleep(1500);
      const third = await addLimitedKey(folder.file, "third", QUOTA);
      await sleep(1500);
      assert.deepEqual(await answeredBy(channels, withKey(third)), SHARED);
      assert.ok(one.log.some(({ msg }) => msg === "quotas are shared again"));
    });

    it("processes behind one port, by the one before them", async () => {
      const server: ServerProcess = opened.use(await startServer(envWith({ PROCESSES: "2" })));
      // Connections are dealt out in turn.
      const channels = channelsTo(server, server);
      for (const channel of channels)
        await createClient(SentimentServiceDefinition, channel).listModels(
          {},
          { metadata: withKey(small) },
        );
      assert.deepEqual(await answeredBy(channels, withKey(small)), SHARED);
      const samples = await scrape(server.opsAddress);
      assert.deepEqual(countsOf(samples, "sentiment_texts_total"), {
        "Analyze ok": 3,
        "Analyze RATE_LIMITED": 5,
      });
      assert.deepEqual(countsOf(samples, "sentiment_shed_total"), { rate_limited: 5 });
      const { shared = 0, alone = 0 } = countsOf(samples, "sentiment_quota_syncs_total");
      assert.ok(shared >= 2 && alone === 0, `${shared} ${alone}`);
    });
  });
});
