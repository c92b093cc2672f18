/**
 * What the server is measured against: onnxruntime in a loop over texts sorted by length, 32 a batch, nothing around it.
 * Each worker is a thread with a session of its own and takes every n-th text by length, so that all get equal work.
 */
import { once } from "node:events";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { padded } from "../server/backend/padding.js";
import { loadTokenizer } from "../server/tokenize/tokenizer.js";

const BATCH_ROWS = 32;

interface LoopOptions {
  readonly folder: string;
  readonly texts: readonly string[];
  readonly workers: number;
  readonly threads: number;
  readonly index: number;
}

export interface PlainLoop extends AsyncDisposable {
  readonly name: string;
  /** Texts a second of one pass over all texts. */
  run(): Promise<number>;
}

export async function plainLoop(
  folder: string,
  texts: readonly string[],
  workers: number,
  threads: number,
): Promise<PlainLoop> {
  const pool = Array.from(
    { length: workers },
    (_, index) =>
      new Worker(new URL(import.meta.url), {
        workerData: { folder, texts, workers, threads, index } satisfies LoopOptions,
      }),
  );
  await Promise.all(pool.map((worker) => once(worker, "message")));
  return {
    name: `plain loop, ${workers} x ${threads} threads`,
    async run() {
      const startedMs = performance.now();
      const all = pool.map((worker) => {
        worker.postMessage("go");
        return once(worker, "message");
      });
      await Promise.all(all);
      return (texts.length * 1000) / (performance.now() - startedMs);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(pool.map((worker) => worker.terminate()));
    },
  };
}

async function work({ folder, texts, workers, threads, index }: LoopOptions): Promise<void> {
  const tokenizer = await loadTokenizer(`${folder}/tokenizer.json`);
  const session = await InferenceSession.create(`${folder}/1/model.onnx`, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  // An even part of the texts of each length: the work is equal, and none of it is done twice.
  const own = texts
    .toSorted((one, other) => one.length - other.length)
    .filter((_, place) => place % workers === index);
  const pass = async () => {
    const rows = own
      .map((text) => [...tokenizer.prefix, ...tokenizer.encode(text), ...tokenizer.suffix])
      .sort((one, other) => one.length - other.length);
    for (let first = 0; first < rows.length; first += BATCH_ROWS) {
      const batch = padded(rows.slice(first, first + BATCH_ROWS), tokenizer.padId);
      const shape = [batch.rows, batch.tokens];
      await session.run({
        input_ids: new Tensor("int64", batch.inputIds, shape),
        attention_mask: new Tensor("int64", batch.attentionMask, shape),
      });
    }
  };
  parentPort?.on("message", () => void pass().then(() => parentPort?.postMessage("done")));
  await pass();
  parentPort?.postMessage("ready");
}

if (!isMainThread) await work(workerData as LoopOptions);
