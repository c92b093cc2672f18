import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PREFIX = "sentiment-weights-";
/** Loading takes seconds: what is older was left by a process that was killed meanwhile. */
const LEFT_MS = 600_000;

/** A new folder for the weights of a model that is being loaded. Rejects where TMPDIR cannot be written to. */
export async function weightsFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  await sweep();
  const path = await mkdtemp(join(tmpdir(), PREFIX));
  // What is mapped of its files by then stays so, and takes the disk for as long.
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(PREFIX)) continue;
    const path = join(tmpdir(), name);
    const found = await stat(path).catch(() => undefined);
    if (found !== undefined && Date.now() - found.mtimeMs > LEFT_MS)
      await rm(path, { recursive: true, force: true }).catch(() => {});
  }
}
