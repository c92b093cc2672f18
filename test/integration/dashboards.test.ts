import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { files } from "../../deploy/grafana/write-dashboards.js";

const FOLDER = "deploy/grafana/dashboards";

interface PanelModel {
  readonly id: number;
  readonly title: string;
  readonly description: string;
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly fieldConfig: { readonly defaults: { readonly unit: string } };
}

describe("the dashboards for Grafana", () => {
  it("are what deploy/grafana makes", async () => {
    assert.deepEqual((await readdir(FOLDER)).toSorted(), [...files.keys()].toSorted());
    for (const [name, text] of files)
      assert.equal(await readFile(`${FOLDER}/${name}`, "utf8"), text, "run make dashboards");
  });

  for (const [name, text] of files) {
    const { panels } = JSON.parse(text) as { panels: readonly PanelModel[] };

    it(`${name} says of each panel what it shows, and in which unit`, () => {
      for (const { title, description, fieldConfig } of panels)
        assert.ok(title && description.endsWith(".") && fieldConfig.defaults.unit, title);
      assert.equal(new Set(panels.map(({ title }) => title)).size, panels.length);
    });

    it(`${name} lays no panel over another, or over the edge`, () => {
      const taken = panels.flatMap(({ gridPos: { x, y, w, h } }) => {
        assert.ok(x + w <= 24);
        return Array.from(
          { length: w * h },
          (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`,
        );
      });
      assert.equal(new Set(taken).size, taken.length);
    });
  }
});
