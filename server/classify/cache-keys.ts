import { hash } from "node:crypto";
import type { CacheKey } from "../cache/cache.js";
import type { ServedModel } from "./model.js";
import type { Question, Reading } from "./reading.js";
import { tokensOf } from "./windows.js";

/** To be counted up whenever a text is cut into windows or sentences, or its answers are merged, in another way. */
const RULES = 1;

/** What all answers of a model depend on, as a key's `space`. The version is in it, so that a reply never names another than answered. */
export function spaceOf(model: {
  readonly digest: string;
  readonly tokenizerDigest: string;
  readonly version: number;
  readonly maxTokens: number;
  readonly temperature: number;
}): string {
  const { digest, tokenizerDigest, version, maxTokens, temperature } = model;
  const parts = [RULES, digest, tokenizerDigest, version, maxTokens, temperature];
  return hash("sha256", parts.join("/"), "base64url").slice(0, 16);
}

/** By the very text and all that is asked about it. */
export function textKey({ space }: ServedModel, text: string, question: Question): CacheKey {
  const { longText, sentences, explain } = question;
  return {
    space,
    hash: hash("sha256", `${longText}/${sentences}/${explain}/${text}`, "base64url"),
  };
}

/** Nothing is asked that depends on where in the text something stands. */
export const isPlain = ({ sentences, explain }: Question): boolean => !sentences && !explain;

/** What most texts need, for one key at a time: of more than 64 bytes a typed array of its own would be memory that malloc gives, and the collector gives back. */
const SCRATCH = new Int32Array(512);

/** By what the model reads: texts that it cannot tell apart have one key. Only for plain questions. */
export function readingKey({ space }: ServedModel, { tokenCount, windows }: Reading): CacheKey {
  const length = 1 + windows.length + tokensOf(windows);
  const numbers = length <= SCRATCH.length ? SCRATCH.subarray(0, length) : new Int32Array(length);
  numbers[0] = tokenCount;
  let place = 1;
  for (const { ids } of windows) {
    numbers[place] = -1;
    numbers.set(ids, place + 1);
    place += 1 + ids.length;
  }
  return { space, hash: hash("sha256", numbers, "base64url") };
}

/** ASCII without the brackets that special tokens are written in: those keep their case. */
const FOLDABLE = /^[\t\n\r -;=?-Z\\^-~]*$/;

/**
 * The text with its letters and spaces as the model reads them, where that is certain: ASCII, too short for a second window, a tokenizer
 * that tells neither case nor the number of spaces. Else the text itself.
 */
export function folded(text: string, model: ServedModel, room: number, question: Question): string {
  if (!(model.tokenizer.isCaseless && isPlain(question))) return text;
  if (text.length > room || !FOLDABLE.test(text)) return text;
  return text
    .toLowerCase()
    .trim()
    .replace(/[\t\n\r ]+/g, " ");
}
