import type { CacheKey, Codec } from "../cache/cache.js";
import { LABELS, type Label } from "../core/tiers.js";
import type { Verdict } from "./classifier.js";

/** All of a verdict but who answered, and how long it took. No piece of a text is in it. */
export type CachedAnswer = Omit<Verdict, "model" | "version" | "cache" | "timings">;

export function answerOf(verdict: Verdict): CachedAnswer {
  const { label, score, confidence, probabilities } = verdict;
  const { tokenCount, analyzedTokenCount, sentences, mixed, attributions } = verdict;
  return {
    label,
    score,
    confidence,
    probabilities,
    tokenCount,
    analyzedTokenCount,
    sentences,
    mixed,
    attributions,
  };
}

const ANSWER_BYTES = 600;
/** What a word or a sentence of an answer takes in memory, roughly. */
export const DETAIL_BYTES = 100;

/** Roughly what the words and sentences of an answer take in memory, in bytes. */
export const detailBytesIn = ({
  sentences,
  attributions,
}: Pick<CachedAnswer, "sentences" | "attributions">): number =>
  DETAIL_BYTES * (sentences.length + attributions.length);

/** Roughly what an answer takes in memory, in bytes; its key and its place in the cache among them. */
export const bytesOf = (answer: CachedAnswer): number => ANSWER_BYTES + detailBytesIn(answer);

/** First byte of every value: one that is written otherwise must get another. */
const FORMAT = 3;
const CHECKSUM_BYTES = 4;
const HEAD_BYTES = 1 + 1 + 5 * 4 + 4 * 4;
const SENTENCE_SIZE = 4 + 4 + 1 + 4 + 4;
const WORD_SIZE = 4 + 4 + 4;
const encoder = new TextEncoder();

/**
 * Little-endian: format, label and flags, five float32 (probabilities, score, confidence), four uint32 (tokens, tokens read, sentences,
 * words), then those, then a checksum of the key and all that. 42 bytes where neither sentences nor words were asked for.
 */
export const answerCodec: Codec<CachedAnswer> = {
  encode(answer, key) {
    const { tokenCount, analyzedTokenCount, sentences, attributions } = answer;
    const lists = SENTENCE_SIZE * sentences.length + WORD_SIZE * attributions.length;
    const bytes = new Uint8Array(HEAD_BYTES + lists + CHECKSUM_BYTES);
    const writer = new Writer(bytes);
    writer.byte(FORMAT);
    writer.byte(LABELS.indexOf(answer.label) | (answer.mixed ? 4 : 0));
    for (const value of [...answer.probabilities, answer.score, answer.confidence])
      writer.float(value);
    for (const count of [tokenCount, analyzedTokenCount, sentences.length, attributions.length])
      writer.uint(count);
    for (const { begin, end, label, score, confidence } of sentences) {
      writer.uint(begin);
      writer.uint(end);
      writer.byte(LABELS.indexOf(label));
      writer.float(score);
      writer.float(confidence);
    }
    for (const { begin, end, weight } of attributions) {
      writer.uint(begin);
      writer.uint(end);
      writer.float(weight);
    }
    writer.uint(checksumOf(key, bytes.subarray(0, -CHECKSUM_BYTES)));
    return bytes;
  },

  decode(bytes, key) {
    if (bytes.length < HEAD_BYTES + CHECKSUM_BYTES || bytes[0] !== FORMAT) return undefined;
    const reader = new Reader(bytes);
    if (reader.last() !== checksumOf(key, bytes.subarray(0, -CHECKSUM_BYTES))) return undefined;
    try {
      return read(reader);
    } catch {
      // Past its end, no label, or no number: whoever wrote it meant something else.
      return undefined;
    }
  },
};

function read(reader: Reader): CachedAnswer {
  reader.byte();
  const flags = reader.byte();
  const probabilities = [reader.float(), reader.float(), reader.float()] as const;
  const [score, confidence] = [reader.float(), reader.float()];
  const [tokenCount, analyzedTokenCount] = [reader.uint(), reader.uint()];
  const [sentenceCount, wordCount] = [reader.uint(), reader.uint()];
  const sentences = reader.list(sentenceCount, SENTENCE_SIZE, () => ({
    begin: reader.uint(),
    end: reader.uint(),
    label: labelAt(reader.byte()),
    score: reader.float(),
    confidence: reader.float(),
  }));
  const attributions = reader.list(wordCount, WORD_SIZE, () => ({
    begin: reader.uint(),
    end: reader.uint(),
    weight: reader.float(),
  }));
  return {
    label: labelAt(flags & 3),
    score,
    confidence,
    probabilities,
    tokenCount,
    analyzedTokenCount,
    sentences,
    mixed: (flags & 4) !== 0,
    attributions,
  };
}

function labelAt(place: number): Label {
  const label = LABELS[place];
  if (label === undefined) throw new RangeError("no such label");
  return label;
}

/** FNV-1a: finds what is cut, garbled or another key's (a connection whose answers are out of step), not what is forged. */
function checksumOf(key: CacheKey, bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of encoder.encode(`${key.space}:${key.hash}`)) hash = fnv(hash, byte);
  for (const byte of bytes) hash = fnv(hash, byte);
  return hash >>> 0;
}

const fnv = (hash: number, byte: number) => Math.imul(hash ^ byte, 0x01000193);

class Writer {
  #place = 0;
  readonly #view: DataView;
  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer);
  }
  byte(value: number): void {
    this.#view.setUint8(this.#place, value);
    this.#place += 1;
  }
  uint(value: number): void {
    this.#view.setUint32(this.#place, value, true);
    this.#place += 4;
  }
  float(value: number): void {
    this.#view.setFloat32(this.#place, value, true);
    this.#place += 4;
  }
}

/** Throws RangeError past the end, and for a number that no answer has. */
class Reader {
  #place = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  byte(): number {
    this.#place += 1;
    return this.#view.getUint8(this.#place - 1);
  }
  uint(): number {
    this.#place += 4;
    return this.#view.getUint32(this.#place - 4, true);
  }
  float(): number {
    this.#place += 4;
    const value = this.#view.getFloat32(this.#place - 4, true);
    if (!Number.isFinite(value)) throw new RangeError("no number");
    return value;
  }
  list<Item>(count: number, leastBytes: number, next: () => Item): Item[] {
    if (count * leastBytes > this.#bytes.length) throw new RangeError("past the end");
    return Array.from({ length: count }, next);
  }
  last(): number {
    return this.#view.getUint32(this.#bytes.length - CHECKSUM_BYTES, true);
  }
}
