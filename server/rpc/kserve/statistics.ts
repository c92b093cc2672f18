import type { Verdict } from "../../classify/classifier.js";
import type { ModelStatistics, StatisticDuration } from "../../gen/inference/grpc_service.js";

/** What of a verdict is counted. */
type Counted = Pick<Verdict, "timings">;

/** Of one model, since the server started: calls of this protocol only. */
export interface Statistics {
  /** An answered call: its verdicts, one a text, and what it took as a whole and at the end, to make tensors of them. */
  succeeded(verdicts: readonly Counted[], totalMs: number, outputMs: number): void;
  failed(totalMs: number): void;
  message(name: string, version: string): ModelStatistics;
}

/** `wallMs` is the time of day, in milliseconds since 1970. */
export function createStatistics(wallMs: () => number = Date.now): Statistics {
  const [success, fail] = [sum(), sum()];
  const [queue, input, infer, output] = [sum(), sum(), sum(), sum()];
  let lastMs = 0;
  let texts = 0;
  let executions = 0;
  return {
    succeeded(verdicts, totalMs, outputMs) {
      const timings = verdicts.map((verdict) => verdict.timings);
      const last = timings.reduce((one, other) => (waitOf(other) > waitOf(one) ? other : one));
      success.add(totalMs);
      // Texts of a call are tokenized one after the other, and wait and are run beside each other: the slowest counts.
      input.add(timings.reduce((whole, { tokenizeMs }) => whole + tokenizeMs, 0));
      queue.add(last.queueMs);
      infer.add(last.inferenceMs);
      output.add(outputMs);
      texts += verdicts.length;
      for (const { batchRows } of timings) executions += batchRows > 0 ? 1 / batchRows : 0;
      lastMs = wallMs();
    },
    failed: fail.add,
    message: (name, version) => ({
      name,
      version,
      lastInference: lastMs,
      inferenceCount: texts,
      executionCount: wholeOf(executions),
      inferenceStats: {
        success: success.message(),
        fail: fail.message(),
        queue: queue.message(),
        computeInput: input.message(),
        computeInfer: infer.message(),
        computeOutput: output.message(),
        cacheHit: undefined,
        cacheMiss: undefined,
      },
      batchStats: [],
      memoryUsage: [],
      responseStats: {},
    }),
  };
}

const waitOf = ({ queueMs, inferenceMs }: Verdict["timings"]): number => queueMs + inferenceMs;

/**
 * A batch of k rows counts 1/k for each text in it, so that texts of other calls in the same batch count theirs. What has begun
 * counts as one; ten tenths are one, whatever binary fractions say.
 */
const wholeOf = (executions: number): number => Math.max(0, Math.ceil(executions - 1e-6));

/** How often, and how long in all. */
function sum() {
  let count = 0;
  let ms = 0;
  return {
    add(more: number) {
      count++;
      ms += more;
    },
    message: (): StatisticDuration => ({ count, ns: Math.floor(ms * 1e6) }),
  };
}
