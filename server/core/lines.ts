const NEWLINE = 0x0a;

/**
 * The lines of a stream of bytes, without their ends. One of more than `maxBytes` bytes is cut there, so that a stream without any
 * newline takes no more memory than that. The last line may lack its newline.
 */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<Uint8Array> {
  let line = new LineParts(maxBytes);
  for await (const chunk of chunks) {
    let begin = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, begin)) {
      line.add(chunk.subarray(begin, end));
      yield line.bytes();
      line = new LineParts(maxBytes);
      begin = end + 1;
    }
    line.add(chunk.subarray(begin));
  }
  if (line.length > 0) yield line.bytes();
}

/** What has been read of a line. */
class LineParts {
  readonly #parts: Uint8Array[] = [];
  readonly #maxBytes: number;
  length = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  add(bytes: Uint8Array): void {
    const part = bytes.subarray(0, this.#maxBytes - this.length);
    if (part.length === 0) return;
    this.#parts.push(part);
    this.length += part.length;
  }

  bytes(): Uint8Array {
    const [only = new Uint8Array()] = this.#parts;
    return this.#parts.length > 1 ? Buffer.concat(this.#parts) : only;
  }
}
