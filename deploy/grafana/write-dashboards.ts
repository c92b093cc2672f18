/**
 * The dashboards as files for Grafana, into the folder that is named.
 *
 *   make dashboards
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { batching } from "./batching.js";
import { cache } from "./cache.js";
import { capacity } from "./capacity.js";
import { dashboardText } from "./dashboard.js";
import { models } from "./models.js";
import { overview } from "./overview.js";

/** Names of files, and what they hold. */
export const files = new Map(
  [overview, models, cache, batching, capacity].map((dashboard) => [
    `${dashboard.name}.json`,
    dashboardText(dashboard),
  ]),
);

const [, script, folder] = process.argv;
if (script?.endsWith("write-dashboards.js") && folder !== undefined)
  for (const [name, text] of files) await writeFile(join(folder, name), text);
