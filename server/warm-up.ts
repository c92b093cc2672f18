import { createReadStream } from "node:fs";
import { join } from "node:path";
import { countOf, nothingWarmed, type Warming, type WarmText } from "./classify/warming.js";
import type { Config } from "./config.js";
import type { Clock } from "./core/clock.js";
import { messageOf, ServiceError, StartupError } from "./core/errors.js";
import { linesOf } from "./core/lines.js";
import type { Log } from "./observe/log.js";
import { textOf } from "./rpc/wire-text.js";

/** In the model repository. */
const STANDARD_FILE = "warm-up.txt";
/** They are held in memory until they are warmed. */
const MAX_BYTES = 64 * 2 ** 20;
const PROGRESS_MS = 10_000;
const MAX_UTF8_BYTES = 4;

/**
 * The texts to be warmed after the start, no more than the caches hold; none without caching. Throws StartupError for a file that
 * is there, or is named, and cannot be read.
 */
export async function readWarmUp(config: Config, log: Log): Promise<readonly string[]> {
  const { cache, modelRepository, maxTextLength } = config;
  if (cache === undefined) return [];
  const file = cache.warmUpFile ?? join(modelRepository, STANDARD_FILE);
  try {
    const { texts, isWhole } = await textsOf(file, maxTextLength, cache.maxEntries);
    const most = "the warm-up file is larger than the caches, or than 64 MiB: its rest is left";
    if (!isWhole) log.warn({ file, taken: texts.length }, most);
    return texts;
  } catch (error) {
    if (cache.warmUpFile === undefined && (error as NodeJS.ErrnoException).code === "ENOENT")
      return [];
    throw new StartupError(
      `WARM_UP_FILE ${file} cannot be read (${messageOf(error)}): name a file with one text a line, or /dev/null for none`,
      error,
    );
  }
}

/** `maxLength` in code points, of a text. */
async function textsOf(file: string, maxLength: number, maxTexts: number) {
  const texts: string[] = [];
  let bytes = 0;
  // Of a line that is cut enough is left to be refused as too long.
  for await (const line of linesOf(createReadStream(file), MAX_UTF8_BYTES * (maxLength + 1))) {
    const text = lineText(line, texts.length === 0);
    if (text.trim() === "") continue;
    bytes += line.length;
    if (texts.length === maxTexts || bytes > MAX_BYTES) return { texts, isWhole: false };
    texts.push(text);
  }
  return { texts, isWhole: true };
}

/** Editors of some systems put a byte order mark before the first line, and a carriage return after each. */
function lineText(line: Uint8Array, isFirst: boolean): string {
  const text = textOf(line).replace(/\r$/, "");
  return isFirst ? text.replace(/^\ufeff/, "") : text;
}

export interface WarmUpParts {
  readonly warming: Warming;
  readonly warm: WarmText;
  /** Whether the tier's model is loaded and answers: nothing is loaded for the warming. */
  readonly isReady: () => boolean;
  readonly clock: Clock;
  readonly log: Log;
}

/** Warms the texts beside the traffic, and says how it goes. Disposing closes the warming, for all who use it. */
export function startWarmUp(texts: readonly string[], parts: WarmUpParts): AsyncDisposable {
  const done = texts.length > 0 ? warmUp(texts, parts) : Promise.resolve();
  return {
    async [Symbol.asyncDispose]() {
      parts.warming[Symbol.dispose]();
      await done;
    },
  };
}

/** Never rejects. */
async function warmUp(
  texts: readonly string[],
  { warming, warm, isReady, clock, log }: WarmUpParts,
): Promise<void> {
  const startedMs = clock.now();
  const tally = nothingWarmed();
  let told = 0;
  const tell = () => {
    const done = countOf(tally);
    if (done > told) log.info({ ...tally, of: texts.length }, "warming the caches");
    told = done;
    cancel = clock.after(PROGRESS_MS, tell);
  };
  let cancel = clock.after(PROGRESS_MS, tell);
  const whenReady: WarmText = async (text, signal) => {
    if (!isReady()) return "later";
    return warm(text, signal).catch((error: unknown) => {
      if (error instanceof ServiceError && error.reason === "BACKEND_DOWN") return "later";
      throw error;
    });
  };
  try {
    await warming.run(texts, whenReady, new AbortController().signal, tally);
    log.info({ ...tally, ms: Math.round(clock.now() - startedMs) }, "the caches are warm");
  } catch (error) {
    const isDrain = error instanceof ServiceError && error.reason === "DRAINING";
    if (isDrain) log.info({ ...tally, of: texts.length }, "warming ended by the drain");
    else log.error({ err: error, ...tally, of: texts.length }, "warming ended");
  } finally {
    cancel();
  }
}
