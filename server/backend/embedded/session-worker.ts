/**
 * A thread of its own for onnxruntime sessions: `session.run()` blocks the thread that calls it for as long as the model
 * works, so it must never be called where gRPC is served. One session a model; requests are answered one by one.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { parentPort, workerData } from "node:worker_threads";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { messageOf } from "../../core/errors.js";
import type { TokenBatch } from "../backend.js";
import type { WorkerOptions, WorkerReply, WorkerRequest } from "./messages.js";

const { intraOpThreads } = workerData as WorkerOptions;
const sessions = new Map<string, InferenceSession>();

async function load(
  model: string,
  path: string,
  digest: string,
): Promise<Float32Array<ArrayBuffer>> {
  // By path, not by its bytes: they would stay in memory beside the session's own.
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  if (hash.digest("hex") !== digest)
    throw new Error("the file has changed since the server started: restart it");
  const session = await InferenceSession.create(path, {
    intraOpNumThreads: intraOpThreads,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  sessions.set(model, session);
  return new Float32Array();
}

async function infer(model: string, batch: TokenBatch): Promise<Float32Array<ArrayBuffer>> {
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

async function answer(request: WorkerRequest): Promise<WorkerReply> {
  try {
    const { model } = request;
    const logits = await (request.kind === "load"
      ? load(model, request.path, request.digest)
      : infer(model, request.batch));
    return { kind: "done", logits };
  } catch (error) {
    return { kind: "failed", error: messageOf(error) };
  }
}

parentPort?.on("message", async (request: WorkerRequest) => {
  const reply = await answer(request);
  parentPort?.postMessage(reply, reply.kind === "done" ? [reply.logits.buffer] : []);
});
