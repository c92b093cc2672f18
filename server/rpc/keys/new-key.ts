import { randomBytes } from "node:crypto";
import { StartupError } from "../../core/errors.js";
import { changeKeyFile } from "./change-key-file.js";
import { type KeyEntry, type Right, SALT_BYTES } from "./key-file.js";
import { hashOf } from "./keys.js";

const ID_BYTES = 8;
const SECRET_BYTES = 32;
/** Tells people and secret scanners what kind of secret they look at. */
const PREFIX = "sap_";

/**
 * Makes a key and adds its entry to the file, as `changeKeyFile` does. Returns the key: nothing keeps it. Throws StartupError also
 * for a name that is taken.
 */
export async function addNewKey(
  path: string,
  name: string,
  rights: readonly Right[],
  limits: Pick<KeyEntry, "tokensPerMinute" | "expires"> = {},
): Promise<string> {
  const id = randomBytes(ID_BYTES).toString("hex");
  const key = `${PREFIX}${id}_${randomBytes(SECRET_BYTES).toString("base64url")}`;
  const salt = randomBytes(SALT_BYTES);
  const hash = hashOf(salt, key).toString("hex");
  const added = { id, name, salt: salt.toString("hex"), hash, rights: [...rights], ...limits };
  await changeKeyFile(path, (entries) => {
    if (entries.some((entry) => entry.name === name)) {
      throw new StartupError(
        `the key file ${path} has a key of ${name} already: take another name, or revoke that key`,
      );
    }
    return [...entries, added];
  });
  return key;
}
