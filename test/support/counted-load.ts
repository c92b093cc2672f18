import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, credentials, Metadata as GrpcMetadata } from "@grpc/grpc-js";
import { type Channel, createClient } from "nice-grpc";
import { HealthDefinition } from "nice-grpc-server-health";
import { LABELS } from "../../server/core/tiers.js";
import { GRPCInferenceServiceDefinition } from "../../server/gen/inference/grpc_service.js";
import {
  AdminServiceDefinition,
  type AnalyzeOptions,
  type CacheTier,
  LongText,
  SentimentServiceDefinition,
  Tier,
} from "../../server/gen/sentiment/v1/sentiment.js";
import { inferRequest } from "./infer-messages.js";
import type { Own } from "./own-counts.js";
import { scrape } from "./scrape.js";
import { sentences } from "./sentences.js";
import type { ServerProcess } from "./server-process.js";

const SERVICE = "sentiment.v1.SentimentService";
const KSERVE = "inference.GRPCInferenceService";
const HEALTH = "grpc.health.v1.Health";
const ADMIN = "sentiment.v1.AdminService";
const tier = Tier.TIER_FAST;
/** One of the client's own: equal ones would share one. */
export const OWN_CONNECTION = { "grpc.use_local_subchannel_pool": 1 };
const TEXTS = sentences(40);
const LONG_TEXT = sentences(200).join(" ").slice(0, 9_900);
/** Looks for nothing in the caches. */
const NEW: AnalyzeOptions = {
  explain: false,
  sentences: false,
  skipCache: true,
  longText: LongText.LONG_TEXT_WINDOWS,
};

/** Each kind of call by one client, with texts that no other client sends. */
export class Load {
  readonly #own: Own;
  readonly #server: ServerProcess;
  readonly #channel: Channel;
  readonly #mark: string;

  constructor(own: Own, server: ServerProcess, channel: Channel, mark: string) {
    [this.#own, this.#server, this.#channel, this.#mark] = [own, server, channel, mark];
  }

  get #client() {
    return createClient(SentimentServiceDefinition, this.#channel);
  }

  #text(number: number): string {
    return `${this.#mark}: ${TEXTS[number]}`;
  }

  /** Where a text was found that all clients ask for. */
  async shared(): Promise<CacheTier | undefined> {
    const text = "We all liked it.";
    const reply = await this.#own.call("Analyze", SERVICE, () =>
      this.#client.analyze({ text, tier, options: undefined }),
    );
    this.#own.text("Analyze", reply?.sentiment, undefined);
    return reply?.sentiment?.cache;
  }

  async all(): Promise<void> {
    await this.#unary();
    await this.#batch();
    await this.#stream();
    await this.#infer();
    await this.#others();
    await this.#leavers();
  }

  async #unary(): Promise<void> {
    // The last ones again, from the cache.
    for (const number of [0, 1, 2, 3, 2, 3, 3]) {
      const reply = await this.#own.call("Analyze", SERVICE, () =>
        this.#client.analyze({ text: this.#text(number), tier, options: undefined }),
      );
      this.#own.text("Analyze", reply?.sentiment, undefined);
    }
    for (const [text, asked, reason] of [
      ["", tier, "TEXT_EMPTY"],
      ["x".repeat(10_001), tier, "TEXT_TOO_LONG"],
      ["fine", Tier.TIER_ACCURATE, "TIER_UNKNOWN"],
      ["fine", 77 as Tier, "TIER_UNKNOWN"],
    ] as const) {
      await this.#own.call("Analyze", SERVICE, () =>
        this.#client.analyze({ text, tier: asked, options: undefined }),
      );
      this.#own.count(this.#own.texts, `Analyze ${reason}`);
    }
    await this.#own.call("ListModels", SERVICE, () => this.#client.listModels({}));
  }

  async #batch(): Promise<void> {
    // One of them is in the cache, two are bad.
    const texts = [this.#text(4), " ", this.#text(5), "x".repeat(10_001), this.#text(0)];
    const reply = await this.#own.call("AnalyzeBatch", SERVICE, () =>
      this.#client.analyzeBatch({ texts, tier, options: undefined }),
    );
    assert.equal(reply?.results.length, texts.length);
    for (const { sentiment, error } of reply.results)
      this.#own.text("AnalyzeBatch", sentiment, error);
    for (const [count, reason] of [
      [0, "BATCH_EMPTY"],
      [101, "BATCH_TOO_LARGE"],
    ] as const) {
      const many = Array<string>(count).fill("fine");
      await this.#own.call("AnalyzeBatch", SERVICE, () =>
        this.#client.analyzeBatch({ texts: many, tier, options: undefined }),
      );
      if (count > 0) this.#own.count(this.#own.texts, `AnalyzeBatch ${reason}`, count);
    }
  }

  async #stream(): Promise<void> {
    const requests = [6, 7, 0].map((number) => ({ id: `${number}`, text: this.#text(number) }));
    requests.push({ id: "empty", text: "" }, { id: "i".repeat(300), text: "fine" });
    await this.#own.call("AnalyzeStream", SERVICE, async () => {
      const replies = this.#client.analyzeStream(
        (async function* () {
          for (const request of requests) yield { ...request, tier, options: undefined };
        })(),
      );
      for await (const { sentiment, error } of replies)
        this.#own.text("AnalyzeStream", sentiment, error);
    });
  }

  async #infer(): Promise<void> {
    const kserve = createClient(GRPCInferenceServiceDefinition, this.#channel);
    const infer = (texts: readonly string[], given = {}) =>
      this.#own.call("ModelInfer", KSERVE, () => kserve.modelInfer(inferRequest(texts, given)));
    const texts = [this.#text(8), this.#text(9)];
    for (const outcome of ["miss", "hit"]) {
      const reply = await infer(texts, { outputs: [{ name: "LABEL", parameters: {} }] });
      for (const label of LABELS) {
        const found = Buffer.from(reply?.rawOutputContents[0] ?? assert.fail()).toString();
        this.#own.count(this.#own.labels, `sentiment_fast ${label}`, found.split(label).length - 1);
      }
      this.#own.count(this.#own.texts, "ModelInfer ok", 2);
      this.#own.count(this.#own.lookups, `memory ${outcome}`, 2);
    }
    // One bad text fails all of them.
    await infer([...texts, ""]);
    this.#own.count(this.#own.texts, "ModelInfer TEXT_EMPTY", 3);
    await infer(texts, { modelName: "sentiment_unknown" });
    await this.#own.call("ServerLive", KSERVE, () => kserve.serverLive({}));
    await this.#own.call("RepositoryModelLoad", KSERVE, () =>
      kserve.repositoryModelLoad({ repositoryName: "", modelName: "", parameters: {} }),
    );
  }

  async #others(): Promise<void> {
    const health = createClient(HealthDefinition, this.#channel);
    for (const service of ["", "unknown.Service"])
      await this.#own.call("Check", HEALTH, () => health.check({ service }));
    const admin = createClient(AdminServiceDefinition, this.#channel);
    await this.#own.call("GetStatus", ADMIN, () => admin.getStatus({}));
  }

  /** Clients that wait no longer: two leave while their texts are under way, a third's deadline passes. */
  async #leavers(): Promise<void> {
    const texts = Array<string>(100).fill(LONG_TEXT);
    await this.#leave("AnalyzeBatch", (signal) =>
      this.#client.analyzeBatch({ texts, tier, options: NEW }, { signal }),
    );
    this.#own.count(this.#own.texts, "AnalyzeBatch CANCELLED", texts.length);
    await this.#leave("AnalyzeStream", async (signal) => {
      const options = { ...NEW, explain: true, sentences: true };
      const requests = async function* () {
        yield { id: "only", text: LONG_TEXT, tier, options };
        await new Promise(() => {});
      };
      for await (const _ of this.#client.analyzeStream(requests(), { signal })) assert.fail();
    });
    this.#own.count(this.#own.texts, "AnalyzeStream CANCELLED");
    await this.#own.call("Watch", HEALTH, () => this.#watchFor(200));
    await this.#until(async () => (await this.#read("sentiment_requests_in_flight")) === 0);
  }

  /** Makes a call, leaves once a text of it was read, and waits until the server has noticed. */
  async #leave(method: string, ask: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
    const left = new AbortController();
    const textsRead = 'sentiment_text_tokens_count{model="sentiment_fast"}';
    const before = await this.#read(textsRead);
    const leaving = this.#own.call(method, SERVICE, () => ask(left.signal));
    await this.#until(async () => (await this.#read(textsRead)) > before);
    left.abort();
    await leaving;
    await this.#until(async () => (await this.#read("sentiment_requests_in_flight")) === 0);
  }

  async #until(condition: () => Promise<boolean>): Promise<void> {
    while (!(await condition())) await sleep(2);
  }

  async #read(sample: string): Promise<number> {
    return (await scrape(this.#server.opsAddress)).get(sample) ?? Number.NaN;
  }

  /** By grpc-js: nice-grpc's client knows no deadline. */
  async #watchFor(ms: number): Promise<void> {
    const plain = new Client(this.#server.address, credentials.createInsecure(), OWN_CONNECTION);
    const asItIs = (bytes: Buffer) => bytes;
    const path = `/${HEALTH}/Watch`;
    const metadata = new GrpcMetadata();
    // No bytes: a request for the whole server.
    const replies = plain.makeServerStreamRequest(path, asItIs, asItIs, Buffer.of(), metadata, {
      deadline: Date.now() + ms,
    });
    await new Promise<void>((resolve, reject) => {
      replies.on("data", () => {});
      replies.on("end", resolve);
      replies.on("error", reject);
    }).finally(() => plain.close());
  }
}
