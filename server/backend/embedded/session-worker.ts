/**
 * A thread of its own for onnxruntime sessions: `session.run()` blocks the thread that calls it for as long as the model
 * works, so it must never be called where gRPC is served. One session a model; requests are answered one by one.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { basename } from "node:path";
import { pipeline } from "node:stream/promises";
import { workerData } from "node:worker_threads";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { messageOf } from "../../core/errors.js";
import { answerRequests, type ThreadStart, yieldToOthers } from "../../core/in-thread.js";
import type { TokenBatch } from "../backend.js";
import type { WorkerOptions, WorkerRequest } from "./messages.js";

const { intraOpThreads, gpu } = (workerData as ThreadStart<WorkerOptions>).options;
yieldToOthers();
const sessions = new Map<string, InferenceSession>();

const create = (
  path: string,
  executionProviders: readonly string[],
  options: InferenceSession.SessionOptions = {},
) =>
  InferenceSession.create(path, {
    ...options,
    executionProviders,
    intraOpNumThreads: intraOpThreads,
    interOpNumThreads: 1,
    // A plan of the memory for each shape is no faster where shapes vary, and now and then its blocks find no room between the others: 8 or 16 MB more for good.
    enableMemPattern: false,
    // A GPU provider that is missing is told below, in words that help.
    logSeverityLevel: gpu ? 4 : 3,
  });

/** What a GPU provider cannot do falls to the next one, and at last to the CPU. */
const GPU_PROVIDERS = [
  ["tensorrt", "cuda", "cpu"],
  ["cuda", "cpu"],
];

async function createOnGpu(path: string): Promise<InferenceSession> {
  const faults: string[] = [];
  for (const providers of GPU_PROVIDERS) {
    try {
      return await create(path, providers);
    } catch (error) {
      faults.push(`${providers[0]}: ${messageOf(error)}`);
    }
  }
  throw new Error(
    `ENABLE_GPU is set, but onnxruntime finds no GPU provider (${faults.join("; ")}): install its CUDA files ` +
      "(ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node), CUDA 12 and cuDNN 9, or unset ENABLE_GPU",
  );
}

/** As https://github.com/microsoft/onnxruntime/pull/23069 does it: what a session keeps of its weights beside those of the file is written too, and mapped where that is loaded. */
async function prepare(path: string, digest: string, prepared: string) {
  await check(path, digest);
  const session = await create(path, ["cpu"], {
    optimizedModelFilePath: prepared,
    extra: {
      session: {
        save_external_prepacked_constant_initializers: "1",
        optimized_model_external_initializers_file_name: `${basename(prepared)}.weights`,
      },
    },
  });
  await session.release();
  return new Float32Array();
}

async function load(model: string, path: string, digest: string, prepared: string | undefined) {
  // What was prepared was made of the file that was checked then.
  if (prepared === undefined) await check(path, digest);
  const from = prepared ?? path;
  await unload(model);
  sessions.set(model, await (gpu ? createOnGpu(from) : create(from, ["cpu"])));
  return new Float32Array();
}

async function check(path: string, digest: string): Promise<void> {
  // By path, not by its bytes: they would stay in memory beside the session's own.
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  if (hash.digest("hex") !== digest)
    throw new Error(
      "the file has changed since it was read: load the model again, or restart the server",
    );
}

/** Its memory goes back to the system where malloc is told to (see the Makefile's `run`); a session loaded later reuses it anyway. */
async function unload(model: string) {
  const session = sessions.get(model);
  sessions.delete(model);
  await session?.release();
  return new Float32Array();
}

async function infer(model: string, batch: TokenBatch) {
  const session = sessions.get(model);
  if (session === undefined) throw new Error(`${model} is not loaded in this worker`);
  const shape = [batch.rows, batch.tokens];
  const { logits } = await session.run({
    input_ids: new Tensor("int64", batch.inputIds, shape),
    attention_mask: new Tensor("int64", batch.attentionMask, shape),
  });
  // Copied: what onnxruntime gives may lie in memory of its own, which cannot be transferred.
  if (logits === undefined) throw new Error("the model has no output called logits");
  return new Float32Array(logits.data as Float32Array);
}

function handle(request: WorkerRequest): Promise<Float32Array<ArrayBuffer>> {
  const { model } = request;
  switch (request.kind) {
    case "prepare":
      return prepare(request.path, request.digest, request.prepared);
    case "load":
      return load(model, request.path, request.digest, request.prepared);
    case "unload":
      return unload(model);
    case "infer":
      return infer(model, request.batch);
  }
}

answerRequests(handle, ({ buffer }) => [buffer]);
