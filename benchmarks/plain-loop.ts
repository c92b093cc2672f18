/**
 * What the server is measured against: onnxruntime in a loop over texts sorted by length, 32 a batch, nothing around it.
 * Each worker is a thread with a session of its own and takes every n-th text by length, so that all get equal work.
 */
import { on, once } from "node:events";
import { type MessagePort, parentPort, Worker, workerData } from "node:worker_threads";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { padded } from "../server/backend/padding.js";
import { yieldToOthers } from "../server/core/in-thread.js";
import { loadTokenizer } from "../server/tokenize/tokenizer.js";

const BATCH_ROWS = 32;

interface ThreadOptions {
  readonly folder: string;
  readonly texts: readonly string[];
  readonly workers: number;
  readonly threads: number;
  readonly index: number;
  /** The thread gives way to others, as the server's do. */
  readonly isNice: boolean;
}

/** What a thread is asked for: a pass over all its texts, read anew; or one batch of so many, read already, that are next by length. It posts when it is done. */
type Work = "pass" | { readonly rows: number };

export interface PlainLoop extends AsyncDisposable {
  readonly name: string;
  /** Texts a second of one pass over all texts. */
  run(): Promise<number>;
}

/** Threads that have loaded the model, and run each text once. */
export async function loopThreads(
  folder: string,
  texts: readonly string[],
  { workers, threads, isNice }: Pick<ThreadOptions, "workers" | "threads" | "isNice">,
): Promise<readonly Worker[]> {
  const pool = Array.from(
    { length: workers },
    (_, index) =>
      new Worker(new URL(import.meta.url), {
        workerData: { folder, texts, workers, threads, index, isNice } satisfies ThreadOptions,
      }),
  );
  await Promise.all(pool.map((worker) => once(worker, "message")));
  return pool;
}

export async function plainLoop(
  folder: string,
  texts: readonly string[],
  workers: number,
  threads: number,
): Promise<PlainLoop> {
  const pool = await loopThreads(folder, texts, { workers, threads, isNice: false });
  return {
    name: `plain loop, ${workers} x ${threads} threads`,
    async run() {
      const startedMs = performance.now();
      const all = pool.map((worker) => {
        worker.postMessage("pass" satisfies Work);
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

async function work(options: ThreadOptions, port: MessagePort): Promise<void> {
  const { folder, texts, workers, threads, index, isNice } = options;
  if (isNice) yieldToOthers();
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
  const read = () =>
    own
      .map((text) => [...tokenizer.prefix, ...tokenizer.encode(text), ...tokenizer.suffix])
      .sort((one, other) => one.length - other.length);
  const infer = async (rows: readonly (readonly number[])[]) => {
    const batch = padded(rows, tokenizer.padId);
    const shape = [batch.rows, batch.tokens];
    await session.run({
      input_ids: new Tensor("int64", batch.inputIds, shape),
      attention_mask: new Tensor("int64", batch.attentionMask, shape),
    });
  };
  const pass = async () => {
    const rows = read();
    for (let first = 0; first < rows.length; first += BATCH_ROWS)
      await infer(rows.slice(first, first + BATCH_ROWS));
    return rows;
  };
  const known = await pass();
  let next = 0;
  port.postMessage("ready");
  for await (const [asked] of on(port, "message") as AsyncIterable<[Work]>) {
    if (asked === "pass") await pass();
    else {
      const rows = known.slice(next, next + asked.rows);
      await infer(rows);
      next = (next + asked.rows) % known.length;
    }
    port.postMessage("done");
  }
}

if (parentPort !== null) await work(workerData as ThreadOptions, parentPort);
