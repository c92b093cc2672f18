import { type FileHandle, open, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import { messageOf, StartupError } from "../../core/errors.js";
import { type KeyEntry, parseKeyFile } from "./key-file.js";

const OWNER_ONLY = 0o600;
const PERMISSIONS = 0o777;

/**
 * Puts what `change` makes of the entries in their place; none are there where there is no file. The file is replaced as a whole:
 * a new one is readable by its owner alone, one that is there stays with whom it is, and readable by whom it was. Throws StartupError where that is not possible, and what `change` throws, with the file as it was.
 */
export async function changeKeyFile(
  path: string,
  change: (entries: readonly KeyEntry[]) => readonly KeyEntry[],
): Promise<void> {
  // A link must stay one.
  const target = await realpath(path).catch(() => path);
  const draft = `${target}.new`;
  // Opened before the file is read, and only where there is none: of two commands at once, the second is refused.
  const file = await openDraft(draft);
  try {
    const keys = change(await entriesOf(target));
    await keepAccess(file, target);
    await file.writeFile(`${JSON.stringify({ keys }, undefined, 2)}\n`);
    // A rename that outlives a power cut must not point at an empty file.
    await file.sync();
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}

async function openDraft(draft: string): Promise<FileHandle> {
  return open(draft, "wx", OWNER_ONLY).catch((error: NodeJS.ErrnoException) => {
    const mend =
      error.code === "EEXIST"
        ? "another command is at work, or one was broken off: try again, or remove it"
        : "name a folder that may be written to";
    throw new StartupError(`${draft} cannot be made (${messageOf(error)}): ${mend}`, error);
  });
}

/** A server that runs as somebody else, as in a container, must be able to read what comes in its place. */
async function keepAccess(file: FileHandle, target: string): Promise<void> {
  const old = await stat(target).catch(() => undefined);
  if (old === undefined) return;
  // Only root may give a file away; who may not has its group and mode alone.
  await file
    .chown(old.uid, old.gid)
    .catch(() => file.chown(process.geteuid?.() ?? old.uid, old.gid))
    .catch(() => {});
  await file.chmod(old.mode & PERMISSIONS);
}

async function entriesOf(path: string): Promise<readonly KeyEntry[]> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw new StartupError(`the key file ${path} cannot be read (${messageOf(error)})`, error);
  });
  return text === undefined ? [] : parseKeyFile(text, path);
}
