import { InferenceSession, Tensor } from "onnxruntime-node";
import { padded } from "../../server/backend/padding.js";
import { CostModel } from "../../server/batch/cost.js";
import type { Tier } from "../../server/core/tiers.js";
import { quantile } from "../../test/support/steady-load.js";

const ROWS = [1, 2, 4, 8, 16];
const TOKENS = [8, 20, 64];
const RUNS = 15;
/** Any word of the vocabulary: what it is costs nothing. */
const WORD = 2000;

/** By least squares of the error a token, as the server's own cost model does it, over medians of CPU time: other work on the machine counts little. One thread. */
export async function modelCost(tier: Tier): Promise<{ batchUs: number; tokenUs: number }> {
  const session = await InferenceSession.create(
    `triton-model-repo/sentiment_${tier}/1/model.onnx`,
    {
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      logSeverityLevel: 3,
    },
  );
  const model = new CostModel();
  let slowest = { tokens: 0, ms: 0 };
  for (const rows of ROWS) {
    for (const tokens of TOKENS) {
      const ms = await medianCpuMs(session, rows, tokens);
      model.observe({ tokens: rows * tokens, work: rows * tokens }, ms);
      slowest = { tokens: rows * tokens, ms };
    }
  }
  await session.release();
  // Of the largest batch: its fixed part is all that is not its tokens'.
  const tokenUs = (slowest.ms * 1000) / (slowest.tokens + (model.fixedTokens ?? 0));
  return { batchUs: Math.max(1, (model.fixedTokens ?? 0) * tokenUs), tokenUs };
}

async function medianCpuMs(
  session: InferenceSession,
  rows: number,
  tokens: number,
): Promise<number> {
  const ids = Array.from({ length: rows }, () => Array.from({ length: tokens }, () => WORD));
  const batch = padded(ids, 0);
  const shape = [batch.rows, batch.tokens];
  const took: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const before = process.cpuUsage();
    await session.run({
      input_ids: new Tensor("int64", batch.inputIds, shape),
      attention_mask: new Tensor("int64", batch.attentionMask, shape),
    });
    const { user, system } = process.cpuUsage(before);
    took.push((user + system) / 1000);
  }
  return quantile(took, 0.5);
}
