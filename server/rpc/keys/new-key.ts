import { randomBytes } from "node:crypto";
import { type FileHandle, open, readFile, realpath, rename, rm } from "node:fs/promises";
import { messageOf, StartupError } from "../../core/errors.js";
import { parseKeyFile, type Right } from "./key-file.js";
import { hashOf } from "./keys.js";

const KEY_BYTES = 32;
const SALT_BYTES = 16;
/** Tells people and secret scanners what kind of secret they look at. */
const PREFIX = "sap_";
const OWNER_ONLY = 0o600;

/**
 * Makes a key and adds its entry to the file, which is made where there is none. Returns the key: nothing keeps it. The file
 * is replaced as a whole, readable by its owner alone. Throws StartupError, with the file as it was, where that is not possible.
 */
export async function addNewKey(
  path: string,
  name: string,
  rights: readonly Right[],
): Promise<string> {
  // A link must stay one.
  const target = await realpath(path).catch(() => path);
  const draft = `${target}.new`;
  // Opened before the file is read, and only where there is none: of two commands at once, the second is refused.
  const file = await openDraft(draft);
  try {
    const entries = await entriesOf(target);
    if (entries.some((entry) => entry.name === name)) {
      throw new StartupError(
        `the key file ${path} has a key of ${name} already: take another name, or take that entry out`,
      );
    }
    const key = `${PREFIX}${randomBytes(KEY_BYTES).toString("base64url")}`;
    const salt = randomBytes(SALT_BYTES);
    const hash = hashOf(salt, key).toString("hex");
    const added = { name, salt: salt.toString("hex"), hash, rights };
    await file.writeFile(`${JSON.stringify({ keys: [...entries, added] }, undefined, 2)}\n`);
    // A rename that outlives a power cut must not point at an empty file.
    await file.sync();
    await rename(draft, target);
    return key;
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

async function entriesOf(path: string) {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw new StartupError(`the key file ${path} cannot be read (${messageOf(error)})`, error);
  });
  return text === undefined ? [] : parseKeyFile(text, path);
}
