/**
 * The most that a server on nice-grpc can do: nice-grpc, and behind it the threads of the plain loop. It reads no text: each counts as the loop's next, so that batches
 * of equal length cost nothing to put together. It keeps, measures, limits and refuses nothing. Prints the address as the server does.
 *
 *   node dist/benchmarks/bare-server.js fast short 20000
 */
import { on } from "node:events";
import { availableParallelism } from "node:os";
import type { Worker } from "node:worker_threads";
import { createServer } from "nice-grpc";
import {
  SentimentServiceDefinition,
  type SentimentServiceImplementation,
} from "../server/gen/sentiment/v1/sentiment.js";
import { outOfOrder } from "../server/rpc/out-of-order.js";
import { loopThreads } from "./plain-loop.js";
import { REPLY } from "./reply.js";
import { LENGTHS, type Lengths } from "./texts.js";

/** As many as the server puts together of AnalyzeBatch. */
const BATCH_ROWS = 8;
/** Batches that a thread has at once, and texts of a stream under way: as the server's. */
const DEPTH = 2;
const MAX_STREAM_TEXTS = 256;

type Answered = () => void;

/** Texts that wait for a thread, first come, first served. */
class Texts {
  readonly #waiting: Answered[] = [];
  readonly #threads: readonly { readonly worker: Worker; readonly batches: Answered[][] }[];

  constructor(workers: readonly Worker[]) {
    this.#threads = workers.map((worker) => ({ worker, batches: [] }));
    for (const { worker, batches } of this.#threads)
      void (async () => {
        for await (const _ of on(worker, "message")) {
          for (const answered of batches.shift() ?? []) answered();
          this.#give();
        }
      })();
  }

  /** Resolves once a model has run a text for it. */
  infer(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    // Those that come together are one batch.
    if (this.#waiting.length === 1) queueMicrotask(() => this.#give());
    return promise;
  }

  #give(): void {
    for (let load = 0; load < DEPTH; load++) {
      for (const { worker, batches } of this.#threads) {
        if (batches.length !== load || this.#waiting.length === 0) continue;
        const batch = this.#waiting.splice(0, BATCH_ROWS);
        batches.push(batch);
        worker.postMessage({ rows: batch.length });
      }
    }
  }
}

const [tier, lengths, count] = process.argv.slice(2);
const folder = `triton-model-repo/sentiment_${tier}`;
const makeTexts = LENGTHS[lengths as Lengths];
const own = await makeTexts(Number(count), `${folder}/tokenizer.json`);
const workers = availableParallelism();
const texts = new Texts(await loopThreads(folder, own, { workers, threads: 1, isNice: true }));

const { sentiment } = REPLY;
const service: SentimentServiceImplementation = {
  async analyze() {
    await texts.infer();
    return REPLY;
  },
  async analyzeBatch(request) {
    await Promise.all(request.texts.map(() => texts.infer()));
    return { results: request.texts.map((_, index) => ({ index, sentiment })) };
  },
  analyzeStream: (requests) =>
    outOfOrder(requests, MAX_STREAM_TEXTS, async ({ id }) => {
      await texts.infer();
      return { id, sentiment };
    }),
  listModels: async () => ({ models: [] }),
};
const server = createServer();
server.add(SentimentServiceDefinition, service);
process.once("SIGTERM", async () => {
  await server.shutdown();
  process.exit();
});
const port = await server.listen("127.0.0.1:0");
process.stdout.write(`${JSON.stringify({ address: `127.0.0.1:${port}` })}\n`);
