import { hash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { linesOf } from "../core/lines.js";
import type { Codec } from "./cache.js";
import type { Kept } from "./memory.js";

/** A value, and which of the process's caches it was in. */
export interface Filed<Value> {
  readonly cache: string;
  readonly kept: Kept<Value>;
}

/** The file cannot be used as a whole; the message says why. */
export class CacheFileError extends Error {}

/** To be counted up whenever the lines are written otherwise; values have a format of their own. */
const FORMAT = 1;
/** Neither a larger file is written nor is one read. */
const MAX_FILE_BYTES = 256 * 2 ** 20;
/** An answer with a weight for each of 10,000 words takes 160 kB. */
const MAX_LINE_BYTES = 2 ** 20;
const CHUNK_BYTES = 64 * 1024;
const OWNER_ONLY = 0o600;
const CHECK_LENGTH = 8;
const HEAD = /^sentiment-cache (\d{1,4}) (\d{1,16})$/;
const LINE = /^(\w{1,16}) ([\w-]{1,64}) ([\w-]{43}) (\d{1,10}) (\d{1,12}) ([\w-]+)$/;

/**
 * Replaces the file by these values, as many as fit into 256 MiB, the first ones first; readable by its owner alone. It is written
 * beside it and renamed, so that whoever reads, or writes at the same time, meets a whole file. Resolves with how many; rejects where it
 * cannot be written or the signal fires, and leaves the file as it was. `savedAtMs` is the time of day.
 */
export async function writeCacheFile<Value>(
  path: string,
  values: Iterable<Filed<Value>>,
  codec: Codec<Value>,
  savedAtMs: number,
  signal: AbortSignal,
): Promise<number> {
  // A link must stay one.
  const target = await realpath(path).catch(() => path);
  if ((await isFile(target)) === false) throw new CacheFileError("it is no file");
  const draft = `${target}.${randomUUID()}.new`;
  const tally = { written: 0 };
  try {
    const options = { mode: OWNER_ONLY, flag: "wx", signal } as const;
    await writeFile(draft, chunksOf(values, codec, savedAtMs, tally), options);
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {});
    throw error;
  }
  return tally.written;
}

/** Rejects where it is there and cannot be removed. */
export async function removeCacheFile(path: string): Promise<void> {
  const target = await realpath(path).catch(() => path);
  await rm(target, { force: true });
}

/** undefined: nothing is there. */
const isFile = (path: string): Promise<boolean | undefined> =>
  stat(path).then(
    (found) => found.isFile(),
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    },
  );

function* chunksOf<Value>(
  values: Iterable<Filed<Value>>,
  codec: Codec<Value>,
  savedAtMs: number,
  tally: { written: number },
): Generator<string> {
  let chunk = checked(`sentiment-cache ${FORMAT} ${Math.floor(savedAtMs)}`);
  let bytes = 0;
  for (const { cache, kept } of values) {
    const { key, hits, leftMs, value } = kept;
    const encoded = Buffer.from(codec.encode(value, key)).toString("base64url");
    const line = checked(
      `${cache} ${key.space} ${key.hash} ${hits} ${Math.floor(leftMs)} ${encoded}`,
    );
    if (line.length > MAX_LINE_BYTES) continue;
    if (bytes + chunk.length + line.length > MAX_FILE_BYTES) break;
    tally.written++;
    chunk += line;
    if (chunk.length < CHUNK_BYTES) continue;
    bytes += chunk.length;
    yield chunk;
    chunk = "";
  }
  yield chunk;
}

/** What the file is read with. */
export interface CacheFileReading<Value> {
  readonly codec: Codec<Value>;
  /** The time of day. */
  readonly nowMs: number;
  /** A file that was written longer ago is not used. */
  readonly maxAgeMs: number;
  /** Told of each value, those first that were written first, with the time that it has left now. */
  readonly take: (value: Filed<Value>) => void;
  /** Awaited between lines (see `turns`). */
  readonly turn: () => Promise<void> | undefined;
}

/**
 * Reads what `writeCacheFile` wrote. Nothing in it is trusted: a line that is cut, garbled or not of this version is passed over.
 * Resolves with how many were. Rejects with a CacheFileError for a file of another kind, format or time, or one too large; with the
 * system's error where it cannot be read; with what `turn` throws.
 */
export async function readCacheFile<Value>(
  path: string,
  { codec, nowMs, maxAgeMs, take, turn }: CacheFileReading<Value>,
): Promise<number> {
  const found = await stat(path);
  // Others, a pipe or a device, may never end.
  if (!found.isFile()) throw new CacheFileError("it is no file");
  if (found.size > MAX_FILE_BYTES) throw new CacheFileError(`it is over ${MAX_FILE_BYTES} bytes`);
  const options = { end: MAX_FILE_BYTES, highWaterMark: CHUNK_BYTES };
  const chunks = createReadStream(path, options);
  try {
    const lines = linesOf(chunks, MAX_LINE_BYTES);
    const head = await lines.next();
    const ageMs = ageOf(head.done ? undefined : uncheckedOf(head.value), nowMs, maxAgeMs);
    let damaged = 0;
    for await (const line of lines) {
      await turn();
      const filed = filedOf(uncheckedOf(line), codec, ageMs);
      if (filed === undefined) damaged++;
      else take(filed);
    }
    return damaged;
  } finally {
    chunks.destroy();
  }
}

/** Throws where the file is none of this format, or not of the time that is asked for. */
function ageOf(head: string | undefined, nowMs: number, maxAgeMs: number): number {
  const [, format, savedAt] = HEAD.exec(head ?? "") ?? [];
  if (Number(format) !== FORMAT) throw new CacheFileError(`it is not of format ${FORMAT}`);
  const ageMs = nowMs - Number(savedAt);
  if (ageMs < 0) throw new CacheFileError("it is from the future");
  if (ageMs > maxAgeMs) throw new CacheFileError("it is too old");
  return ageMs;
}

function filedOf<Value>(
  line: string | undefined,
  codec: Codec<Value>,
  ageMs: number,
): Filed<Value> | undefined {
  const [, cache, space, name, hits, leftMs, encoded] = LINE.exec(line ?? "") ?? [];
  if (cache === undefined || space === undefined || name === undefined) return undefined;
  const key = { space: copyOf(space), hash: copyOf(name) };
  const value = codec.decode(Buffer.from(encoded ?? "", "base64url"), key);
  if (value === undefined) return undefined;
  return { cache, kept: { key, value, hits: Number(hits), leftMs: Number(leftMs) - ageMs } };
}

/** A part of a string keeps the whole of it in memory; here a line, for as long as its key is in the cache. */
const copyOf = (ascii: string): string => Buffer.from(ascii, "latin1").toString("latin1");

/** With a checksum, so that no value is read under a key that it was not written under. It finds what is garbled, not what is forged. */
const checked = (line: string): string => `${line} ${checkOf(line)}\n`;

const checkOf = (line: string): string => hash("sha256", line, "base64url").slice(0, CHECK_LENGTH);

/** The line without its checksum; undefined where they do not fit. */
function uncheckedOf(bytes: Uint8Array): string | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  const line = text.slice(0, -CHECK_LENGTH - 1);
  return `${text}\n` === checked(line) ? line : undefined;
}
