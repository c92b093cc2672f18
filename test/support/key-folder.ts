import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface KeyFolder extends AsyncDisposable {
  /** Where a key file goes; nothing is there yet. */
  readonly file: string;
}

export async function keyFolder(): Promise<KeyFolder> {
  const folder = await mkdtemp(join(tmpdir(), "sentiment-keys-"));
  return {
    file: join(folder, "keys.json"),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}
