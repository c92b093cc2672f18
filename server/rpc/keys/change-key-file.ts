import { type FileHandle, open, readFile, realpath, rename, rm } from "node:fs/promises";
import { messageOf, StartupError } from "../../core/errors.js";
import { type KeyEntry, parseKeyFile } from "./key-file.js";

const OWNER_ONLY = 0o600;

/**
 * Puts what `change` makes of the entries in their place; none are there where there is no file. The file is replaced as a whole,
 * readable by its owner alone. Throws StartupError where that is not possible, and what `change` throws, with the file as it was.
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

async function entriesOf(path: string): Promise<readonly KeyEntry[]> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw new StartupError(`the key file ${path} cannot be read (${messageOf(error)})`, error);
  });
  return text === undefined ? [] : parseKeyFile(text, path);
}
