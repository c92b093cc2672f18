import { join } from "node:path";

/** Below $CACHE, where test/support/helm/install.sh and the install.sh of this folder put them. */
export const programPath = (name: string): string =>
  join(cacheFolder(), name === "helm" ? "helm" : "kubernetes", "bin", name);

/** What install.sh took out of Go modules. */
export const installedFolder = (name: "stages" | "custom-resources"): string =>
  join(cacheFolder(), "kubernetes", name);

function cacheFolder(): string {
  const folder = process.env["CACHE"];
  if (folder === undefined) throw new Error("CACHE is not set: run it by make test-full");
  return folder;
}
