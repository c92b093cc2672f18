import { readFile } from "node:fs/promises";

/** As seen from dist/server/core. */
const PACKAGE = new URL("../../../package.json", import.meta.url);

/** The server's version, of package.json. */
export async function readVersion(): Promise<string> {
  const { version } = JSON.parse(await readFile(PACKAGE, "utf8"));
  return version;
}
