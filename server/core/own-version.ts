import { readFile } from "node:fs/promises";

/** As seen from dist/server/core. */
const PACKAGE = new URL("../../../package.json", import.meta.url);

/** Of this server, as its package.json says. */
export const ownVersion = async (): Promise<string> =>
  JSON.parse(await readFile(PACKAGE, "utf8")).version;
