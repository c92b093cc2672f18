import { CommandError } from "./faults.js";

/** Most characters of one record: without it a quote that is never closed would take the whole file into memory. */
export const MAX_RECORD_LENGTH = 16 * 1024 * 1024;

/** UTF-8 as text, chunk by chunk. Where `exact`, bytes that are no UTF-8 throw CommandError: what is written again must not be less than what was read. */
export async function* decoded(
  bytes: AsyncIterable<Uint8Array>,
  name: string,
  exact: boolean,
): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: exact, ignoreBOM: true });
  const decode = (chunk?: Uint8Array) => {
    try {
      return decoder.decode(chunk, { stream: chunk !== undefined });
    } catch {
      throw new CommandError(
        `${name} is not UTF-8: convert it first (iconv -f latin1 -t utf-8, say)`,
        1,
      );
    }
  };
  for await (const chunk of bytes) yield decode(chunk);
  yield decode();
}

/** Lines without their ends, LF or CRLF. The last may lack its end. */
export async function* linesOf(
  chunks: AsyncIterable<string>,
  name: string,
): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of chunks) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > MAX_RECORD_LENGTH)
      throw new CommandError(`${name} has a line of over ${MAX_RECORD_LENGTH} characters`, 1);
    for (const line of lines) yield withoutReturn(line);
  }
  if (rest !== "") yield withoutReturn(rest);
}

const withoutReturn = (line: string) => (line.endsWith("\r") ? line.slice(0, -1) : line);

const BOM = "\uFEFF";

/** The chunks without a byte order mark, and whether there was one. */
export async function markOff(
  chunks: AsyncIterable<string>,
): Promise<{ readonly mark: string; readonly chunks: AsyncIterable<string> }> {
  const source = chunks[Symbol.asyncIterator]();
  let first = await source.next();
  // A chunk may hold a part of a character only.
  while (!first.done && first.value === "") first = await source.next();
  const text = first.done ? "" : first.value;
  const mark = text.startsWith(BOM) ? BOM : "";
  async function* all() {
    if (!first.done) yield text.slice(mark.length);
    yield* { [Symbol.asyncIterator]: () => source };
  }
  return { mark, chunks: all() };
}
