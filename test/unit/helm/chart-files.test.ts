import assert from "node:assert/strict";
import { readdirSync, readFileSync, realpathSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { chartFiles } from "../../../deploy/helm/write-chart.js";
import { CHART } from "../../support/chart.js";

describe("the Helm chart's files", () => {
  it("are what `make docs` writes", async () => {
    const files = await chartFiles((name) => readFile(join(CHART, name), "utf8"));
    assert.ok(files.size >= 3);
    for (const [name, text] of files)
      assert.equal(readFileSync(join(CHART, name), "utf8"), text, `${name}: run make docs`);
  });

  it("have the rules and dashboards of deploy/ themselves, not copies", () => {
    for (const [link, folder] of [
      ["rules", "deploy/prometheus/rules"],
      ["dashboards", "deploy/grafana/dashboards"],
    ] as const) {
      const there = join(CHART, "files", link);
      assert.equal(realpathSync(there), realpathSync(folder));
      assert.ok(readdirSync(there).length >= 3);
    }
  });
});
