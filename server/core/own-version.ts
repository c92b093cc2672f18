import { readFileSync } from "node:fs";

/** As seen from dist/server/core. */
const PACKAGE = new URL("../../../package.json", import.meta.url);

/** Of this server, as its package.json says. */
export const OWN_VERSION: string = JSON.parse(readFileSync(PACKAGE, "utf8")).version;
