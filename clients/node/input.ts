import { fstatSync } from "node:fs";
import { createInterface } from "node:readline";
import { SingleBar } from "cli-progress";

/** Told how far the reading is. */
export interface Progress extends Disposable {
  /** Called a text that has been answered. */
  answered(text: string): void;
}

export const SILENT: Progress = { answered: () => {}, [Symbol.dispose]: () => {} };

/** Texts of standard input, a line each, read no faster than they are taken. */
export function lines(input: NodeJS.ReadableStream): AsyncIterable<string> {
  return createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
}

/**
 * A bar on the terminal while texts come from a file or a pipe and answers go into a file or a pipe; where the answers
 * themselves go to the terminal, they are the progress. The length is known of a file only.
 */
export function progressOf(
  stdin: { fd: number },
  stdout: { isTTY?: boolean },
  stderr: NodeJS.WriteStream,
): Progress {
  if (!stderr.isTTY || stdout.isTTY) return SILENT;
  const stat = fstatSync(stdin.fd);
  const bytes = stat.isFile() ? stat.size : 0;
  const known = "{bar} {percentage} % | {texts} texts | {eta_formatted} left";
  const bar = new SingleBar({
    format: bytes > 0 ? known : "{texts} texts | {duration_formatted}",
    stream: stderr,
  });
  let texts = 0;
  bar.start(bytes, 0, { texts });
  return {
    answered: (text) => bar.increment(Buffer.byteLength(text) + 1, { texts: ++texts }),
    [Symbol.dispose]: () => bar.stop(),
  };
}
