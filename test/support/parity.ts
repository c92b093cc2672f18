import { readFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";

/** A text, and what the reference tokenizers make of it. */
interface Parity {
  readonly category: string;
  readonly text: string;
  /** Without special tokens. */
  readonly ids: { readonly balanced: readonly number[]; readonly accurate: readonly number[] };
}

/** All texts of test/fixtures/tokenizer. */
export async function readParity(): Promise<readonly Parity[]> {
  const packed = await readFile("test/fixtures/tokenizer/parity.jsonl.gz");
  const lines = gunzipSync(packed).toString("utf8").trimEnd().split("\n");
  return lines.map((line): Parity => JSON.parse(line));
}
