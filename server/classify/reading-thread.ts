/** A thread of its own for texts that would hold the event loop: read by the same code, with the same tokenizer.json. */
import { answerRequests, yieldToOthers } from "../core/in-thread.js";
import { loadTokenizer, type Tokenizer } from "../tokenize/tokenizer.js";
import { read } from "./reading.js";
import type { ReadingRequest, ReadingResult } from "./reading-messages.js";

yieldToOthers();
/** By their digests. */
const tokenizers = new Map<string, Tokenizer>();

async function load(digest: string, path: string): Promise<void> {
  const tokenizer = await loadTokenizer(path);
  if (tokenizer.digest !== digest)
    throw new Error(`${path} has changed since it was read: load the model again`);
  tokenizers.set(digest, tokenizer);
}

async function handle(request: ReadingRequest): Promise<ReadingResult> {
  const { kind, digest } = request;
  if (kind === "load") await load(digest, request.path);
  if (kind === "forget") tokenizers.delete(digest);
  if (kind !== "read") return undefined;
  const tokenizer = tokenizers.get(digest);
  if (tokenizer === undefined) throw new Error("the tokenizer is not loaded in this thread");
  const { text: _, ...reading } = read(request.text, tokenizer, request.room, request.question);
  return reading;
}

answerRequests(handle);
