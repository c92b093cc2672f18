import type { Backend, Inference, ModelVersion, TokenBatch } from "../backend/backend.js";
import type { RowAnswer } from "../batch/row.js";
import type { RunContext } from "../batch/run-context.js";
import type { Call } from "../core/call.js";
import { type Span, within } from "../core/trace.js";

type Outcomes = PromiseSettledResult<RowAnswer>[];

/** What `submit` gives, with a span for as long as the last of the rows waited for its batch. */
export function queued(
  rows: readonly (readonly number[])[],
  call: Call,
  submit: () => Promise<Outcomes>,
): Promise<Outcomes> {
  const span = call.span?.step("queue");
  return span === undefined ? submit() : tracedQueue(span, rows, submit);
}

async function tracedQueue(
  span: Span,
  rows: readonly (readonly number[])[],
  submit: () => Promise<Outcomes>,
): Promise<Outcomes> {
  const tokens = rows.reduce((sum, { length }) => sum + length, 0);
  span.set({ "sentiment.rows": rows.length, "sentiment.tokens": tokens });
  try {
    const outcomes = await submit();
    const waits = outcomes.map((one) => (one.status === "fulfilled" ? one.value.queueMs : 0));
    const refused = outcomes.find((one) => one.status === "rejected");
    if (refused !== undefined) span.failed(refused.reason);
    // What was refused has waited until now.
    span.end(refused === undefined ? Math.max(0, ...waits) : undefined);
    return outcomes;
  } catch (error) {
    span.failed(error);
    span.end();
    throw error;
  }
}

/** What the backend gives, with a span that it may go on with in another process. */
export async function inferred(
  backend: Backend,
  model: ModelVersion,
  batch: TokenBatch,
  context: RunContext,
): Promise<Inference> {
  const span = context.span?.step("infer", {
    kind: "client",
    attributes: { "sentiment.model": model.name },
  });
  return await within(span, async () => {
    const { signal, deadlineMs } = context;
    const { traceparent, tracestate } = span ?? context;
    const passed = { signal, deadlineMs, traceparent, tracestate };
    const inference = await backend.infer(model, batch, passed);
    span?.set({ "sentiment.model_version": inference.version });
    return inference;
  });
}
