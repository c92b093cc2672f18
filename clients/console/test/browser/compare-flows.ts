import assert from "node:assert/strict";
import type { Flow } from "../support/stage.ts";
import { textBox } from "../support/texts.ts";

const TIERS = ["fast", "balanced", "accurate", "auto"];

export const COMPARE_FLOWS: readonly Flow[] = [
  {
    name: "the tiers answer side by side",
    async run({ page, visit, shoot, width }) {
      await visit("#compare");
      await textBox(page).fill("I love this product!");
      await page.getByRole("button", { name: "Compare the tiers" }).click();
      await page.getByText("All models agree: positive.").waitFor();
      for (const tier of TIERS) {
        const said = await page.getByRole("region", { name: tier, exact: true }).innerText();
        assert.match(said, /positive/);
        assert.match(said, /inference\s+[\d.]+ m?s/);
        assert.match(said, /model\s+sentiment_\w+ 1\+embedded\./);
      }
      const tops = await page
        .locator(".tiers > section")
        .evaluateAll((cards) => cards.map((card) => card.getBoundingClientRect().top));
      assert.equal(new Set(tops).size, width < 500 ? 4 : 1, tops.join());
      await shoot("compare");
    },
  },
  {
    name: "a text that is refused is refused by each tier",
    async run({ page, visit }) {
      await visit("#compare");
      await page.getByRole("button", { name: "Compare the tiers" }).click();
      await page.getByText("No tier has answered.").waitFor();
      assert.equal(await page.getByRole("alert").filter({ hasText: "TEXT_EMPTY" }).count(), 4);
    },
  },
];
