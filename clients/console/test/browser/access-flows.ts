import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";
import { pick } from "../support/files.ts";
import type { Flow } from "../support/stage.ts";
import { analyzeText } from "../support/texts.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe finds, of any kind; the page is to have none of it. */
async function findings(page: Page): Promise<readonly string[]> {
  await page.evaluate(AXE);
  const { violations, passes } = await page.evaluate(() =>
    (globalThis as unknown as { axe: { run: () => Promise<AxeResults> } }).axe.run(),
  );
  assert.ok(passes.length > 15, `${passes.length} rules were looked at`);
  return violations.map(
    ({ impact, id, nodes }) =>
      `${impact} ${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`,
  );
}

const hasNothing = async (page: Page) => assert.deepEqual(await findings(page), []);

export const ACCESS_FLOWS: readonly Flow[] = [
  {
    name: "axe finds nothing in the first view, nor in an answer",
    async run({ page, visit }) {
      await visit();
      await hasNothing(page);
      await analyzeText(
        page,
        "\u{1F600} I love the camera. The battery is a terrible, awful joke. It is grey.",
      );
      for (const summary of await page.locator("summary").all()) await summary.click();
      await hasNothing(page);
    },
  },
  {
    name: "axe finds nothing in an error, nor in the dialog for the key",
    async run({ page, visit, world }) {
      await visit("", world.keyed.url);
      await page.getByRole("button", { name: "Analyze", exact: true }).click();
      await page.getByRole("button", { name: "Enter a key" }).waitFor();
      await hasNothing(page);
      await page.getByRole("button", { name: "Enter a key" }).click();
      await page.getByRole("dialog").waitFor();
      await hasNothing(page);
    },
  },
  {
    name: "axe finds nothing in the tiers side by side",
    async run({ page, visit }) {
      await visit("#compare");
      await page.getByRole("textbox", { name: "Text", exact: true }).fill("The soup was fine.");
      await page.getByRole("button", { name: "Compare the tiers" }).click();
      await page.getByText(/^All models agree|^The models differ/).waitFor();
      await hasNothing(page);
    },
  },
  {
    name: "axe finds nothing in a file, nor in its result",
    async run({ page, visit }) {
      await visit("#file");
      await pick(
        page,
        "wide.csv",
        `${"a long name,".repeat(20)}text\n${"cell,".repeat(20)}I love it\n`,
      );
      await hasNothing(page);
      await page.getByRole("button", { name: "Run the file" }).click();
      await page.getByText("Done", { exact: true }).waitFor();
      await hasNothing(page);
    },
  },
  {
    name: "axe finds nothing in the live view",
    async run({ page, visit }) {
      await visit("#live");
      await page.locator(".gauges .value").first().waitFor();
      await hasNothing(page);
    },
  },
];
