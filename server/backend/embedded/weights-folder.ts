import { lstat, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Then the process's id. */
const NAME = /^sentiment-weights-(\d+)-/;
/** Loading takes seconds: what is older is of nobody any more, whose id a process of today may have. */
const LEFT_MS = 600_000;

/** A new folder for the weights of models that are being loaded, in `parent`, or in TMPDIR. Rejects where that cannot be written to. */
export async function weightsFolder(
  parent?: string,
): Promise<{ readonly path: string } & AsyncDisposable> {
  if (parent === undefined) await sweep().catch(() => {});
  const path = await mkdtemp(join(parent ?? tmpdir(), `sentiment-weights-${process.pid}-`));
  return {
    path,
    // What is mapped of its files by then stays so, and takes the disk for as long. What cannot be removed now is swept later.
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }).catch(() => {}),
  };
}

/** Removes what processes have left that were killed while they loaded. */
async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = NAME.exec(name)?.[1];
    if (pid === undefined) continue;
    const path = join(tmpdir(), name);
    const found = await lstat(path).catch(() => undefined);
    if (!found?.isDirectory() || found.uid !== (process.getuid?.() ?? found.uid)) continue;
    if (isLeft(Number(pid), Date.now() - found.mtimeMs))
      await rm(path, { recursive: true, force: true }).catch(() => {});
  }
}

function isLeft(pid: number, ageMs: number): boolean {
  if (ageMs > LEFT_MS) return true;
  // In a container each process has the id of the one before it.
  if (pid === process.pid) return ageMs > process.uptime() * 1000;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}
