import { readFile, writeFile } from "node:fs/promises";
import { addNewKey } from "../../server/rpc/keys/new-key.js";

/** Adds a key that may analyze, with a quota of its own unless that is undefined, and returns it. */
export async function addLimitedKey(
  file: string,
  name: string,
  tokensPerMinute: number | undefined,
): Promise<string> {
  const key = await addNewKey(file, name, ["analyze"]);
  const { keys } = JSON.parse(await readFile(file, "utf8"));
  Object.assign(keys.at(-1), { tokensPerMinute });
  await writeFile(file, JSON.stringify({ keys }));
  return key;
}
