import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import type { Flow } from "../support/stage.ts";
import { analyzeText } from "../support/texts.ts";

const SERVER = "All that the server does";
const OWN = "What this page asked for";

const gaugeOf = (page: Page, section: string, name: string) =>
  page
    .getByRole("region", { name: section })
    .locator(".gauges > div")
    .filter({ has: page.getByText(name, { exact: true }) })
    .locator(".value");

const known = (unit: string) => new RegExp(`^[\\d.,]*[1-9][\\d.,]* ${unit}$`);

/** Calls of another client, until it is told to stop. */
function keepAsking(url: string): () => Promise<void> {
  let goesOn = true;
  const asked = (async () => {
    for (let at = 0; goesOn; at++) {
      const texts = Array.from({ length: 8 }, (_, text) =>
        // Half of them are new, the others soon known.
        text % 2 === 0 ? `Film ${Math.random()} was good` : `Film ${at % 50} was good`,
      );
      const body = JSON.stringify({ texts, tier: "TIER_FAST" });
      await fetch(`${url}api/analyze/batch`, { method: "POST", body });
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  })();
  return () => {
    goesOn = false;
    return asked;
  };
}

export const LIVE_FLOWS: readonly Flow[] = [
  {
    name: "the live view shows what all clients do, and stands still when it is paused",
    async run({ page, visit, world, shoot }) {
      await visit("#live");
      const stop = keepAsking(world.open.url);
      try {
        await gaugeOf(page, SERVER, "Throughput")
          .filter({ hasText: known("texts/s") })
          .waitFor();
        await gaugeOf(page, SERVER, "Hit rate")
          .filter({ hasText: /^[\d.]+ %$/ })
          .waitFor();
        await gaugeOf(page, SERVER, "Latency p95")
          .filter({ hasText: known("m?s") })
          .waitFor();
        await gaugeOf(page, SERVER, "Batch size")
          .filter({ hasText: known("rows") })
          .waitFor();
        await page.waitForTimeout(8_000);
        await shoot("live");
        assert.match(await gaugeOf(page, OWN, "Throughput").innerText(), /^0 texts\/s$/);
        await page.getByRole("button", { name: "Pause" }).click();
        const before = await page.locator("main").innerText();
        await page.waitForTimeout(5_000);
        assert.equal(await page.locator("main").innerText(), before);
      } finally {
        await stop();
      }
    },
  },
  {
    name: "the live view shows this page's own calls",
    async run({ page, visit }) {
      await visit();
      await page.getByLabel("pass the caches by").check();
      await analyzeText(page, "I love it.");
      await page.getByRole("link", { name: "Live" }).click();
      await gaugeOf(page, OWN, "Throughput")
        .filter({ hasText: /^0\.[1-9] texts\/s$/ })
        .waitFor();
      assert.match(await gaugeOf(page, OWN, "Hit rate").innerText(), /^(0\.0 %|–)$/);
    },
  },
  {
    name: "a bridge that is not told of metrics says how to tell it",
    async run({ page, visit, world, shoot }) {
      await visit("#live", world.keyed.url);
      await page
        .getByText(/^Not configured: start the bridge with SENTIMENT_METRICS_URL/)
        .waitFor();
      assert.equal(await page.getByRole("region", { name: SERVER }).locator(".gauges").count(), 0);
      await shoot("live-not-configured");
    },
  },
];
