/** Characters that are held until they become a part of the blob, which the browser may keep on disk. */
const PART_CHARACTERS = 1 << 20;

/** Gathers a file of any size. */
export class BlobWriter {
  readonly #parts: Blob[] = [];
  #lines: string[] = [];
  #characters = 0;

  write(line: string): void {
    this.#lines.push(line);
    this.#characters += line.length;
    if (this.#characters >= PART_CHARACTERS) this.#flush();
  }

  /** What was written so far. */
  blob(type: string): Blob {
    this.#flush();
    return new Blob(this.#parts, { type });
  }

  #flush(): void {
    this.#parts.push(new Blob(this.#lines));
    this.#lines = [];
    this.#characters = 0;
  }
}
