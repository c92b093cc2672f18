import { StartupError } from "../../core/errors.js";
import { changeKeyFile } from "./change-key-file.js";

/** Takes the key of `name` out of the file, as `changeKeyFile` does. Throws StartupError also where there is none. */
export const revokeKey = (path: string, name: string): Promise<void> =>
  changeKeyFile(path, (entries) => {
    const kept = entries.filter((entry) => entry.name !== name);
    if (kept.length < entries.length) return kept;
    throw new StartupError(
      `the key file ${path} has no key of ${name}: sentiment-keys list shows whose it has`,
    );
  });
