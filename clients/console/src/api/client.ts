import { AskError, errorOfReply } from "./errors.ts";
import { currentKey } from "./key.ts";
import type {
  AnalyzeBatchRequest,
  AnalyzeRequest,
  AnalyzeResponse,
  AnalyzeResult,
  LiveCounts,
} from "./messages.ts";
import { ownTraffic } from "./traffic.ts";

/** All fail with an AskError, or with what `signal` was aborted with. */
export async function analyze(
  request: AnalyzeRequest,
  signal: AbortSignal,
): Promise<AnalyzeResponse> {
  const begunMs = performance.now();
  const answer = await post<AnalyzeResponse>("api/analyze", request, signal);
  const { cache } = answer.sentiment;
  ownTraffic.answered({
    texts: 1,
    hits: cache === "CACHE_TIER_NONE" ? 0 : 1,
    tookMs: performance.now() - begunMs,
    batchRows: answer.timing.batchSize,
  });
  return answer;
}

export async function analyzeBatch(
  request: AnalyzeBatchRequest,
  signal: AbortSignal,
): Promise<readonly AnalyzeResult[]> {
  const begunMs = performance.now();
  const { results } = await post<{ results: readonly AnalyzeResult[] }>(
    "api/analyze/batch",
    request,
    signal,
  );
  const answers = results.flatMap(({ sentiment }) => sentiment ?? []);
  ownTraffic.answered({
    texts: answers.length,
    hits: answers.filter(({ cache }) => cache !== "CACHE_TIER_NONE").length,
    tookMs: performance.now() - begunMs,
    batchRows: 0,
  });
  return results;
}

/** undefined: the bridge is not told where the server's metrics are. */
export const liveCounts = async (signal: AbortSignal): Promise<LiveCounts | undefined> =>
  (await ask<{ live: LiveCounts | null }>("api/live", { signal })).live ?? undefined;

/** Whether the server says that it serves; undefined: the bridge itself does not answer. */
export async function isServing(signal: AbortSignal): Promise<boolean | undefined> {
  try {
    const reply = await fetch("health", { signal, cache: "no-store" });
    // Else the browser keeps the connection for it.
    await reply.text();
    return reply.ok;
  } catch {
    return undefined;
  }
}

const post = <Answer>(path: string, message: object, signal: AbortSignal): Promise<Answer> =>
  ask(path, {
    method: "POST",
    // Half a surrogate pair is no text: it is replaced, as by whoever encodes UTF-8.
    body: JSON.stringify(message, (_, value) =>
      typeof value === "string" ? value.toWellFormed() : value,
    ),
    signal,
  });

async function ask<Answer>(path: string, init: RequestInit): Promise<Answer> {
  const key = currentKey();
  const headers = {
    "content-type": "application/json",
    ...(key === "" ? {} : { authorization: `Bearer ${key}` }),
  };
  const reply = await fetch(path, { ...init, headers, credentials: "omit" }).catch(unreachable);
  if (reply.ok) return reply.json().catch(unreachable);
  const body = await reply.text().catch(() => "");
  throw errorOfReply(reply.status, body, reply.headers.get("retry-after"));
}

function unreachable(error: unknown): never {
  if (error instanceof DOMException && error.name === "AbortError") throw error;
  throw new AskError("The bridge cannot be reached: is it still running?", "UNREACHABLE", true);
}
