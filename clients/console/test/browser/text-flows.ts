import assert from "node:assert/strict";
import type { Flow } from "../support/stage.ts";
import { analyzeText, factOf, resultOf, textBox } from "../support/texts.ts";

/** So that no cache knows it. */
const anew = (text: string) => `${text} ${Math.random().toString(36).slice(2, 8)}`;

export const TEXT_FLOWS: readonly Flow[] = [
  {
    name: "a text gets its verdict, score and probabilities",
    async run({ page, visit }) {
      await visit();
      const { sentiment } = await analyzeText(page, "I love this product!");
      assert.equal(sentiment.label, "LABEL_POSITIVE");
      const said = await resultOf(page).innerText();
      assert.match(said, /positive/);
      assert.ok(said.includes(`+${sentiment.score.toFixed(2)}`), said);
      const shares = await resultOf(page).locator(".probabilities .number").allInnerTexts();
      const sum = shares.reduce((total, share) => total + Number.parseFloat(share), 0);
      assert.ok(shares.length === 3 && Math.abs(sum - 100) < 0.3, shares.join());
      await page.getByRole("img", { name: /^Score \+0\.\d\d, on a scale/ }).waitFor();
    },
  },
  {
    name: "Ctrl+Enter analyzes, and the verdict is said aloud",
    async run({ page, visit }) {
      await visit();
      await textBox(page).fill("Terrible quality, waste of money.");
      await page.keyboard.press("Control+Enter");
      await resultOf(page).getByText("negative").first().waitFor();
      const said = page.locator(".columns > output");
      await said
        .filter({ hasText: /^negative, [\d.]+ % sure, score \u22120\.\d\d$/ })
        .waitFor({ state: "attached" });
    },
  },
  {
    name: "words are coloured by their weight, behind emoji too",
    async run({ page, visit }) {
      await visit();
      const text =
        "\u{1F600}\u{1F44D}\u{1F3FD} I love the camera \u{1F60D}, but the battery is terrible.";
      const { sentiment } = await analyzeText(page, text);
      assert.equal(await page.locator(".marked").textContent(), text);
      const marks = await page.locator(".marked mark").allTextContents();
      const tokens = sentiment.attributions.map(({ token }) => token);
      assert.ok(marks.length > 1 && marks.every((mark) => tokens.includes(mark)), marks.join("|"));
      const love = page.locator(".marked mark.positive", { hasText: /^love$/ });
      const terrible = page.locator(".marked mark.negative", { hasText: /^terrible$/ });
      assert.match((await love.getAttribute("title")) ?? "", /^weight \+\d\.\d\d$/);
      assert.match((await terrible.getAttribute("title")) ?? "", /^weight \u2212\d\.\d\d$/);
      await page.getByText("The heaviest words as a table").click();
      await page.getByRole("cell", { name: "terrible", exact: true }).waitFor();
    },
  },
  {
    name: "sentences have verdicts of their own, and a mixed text says so",
    async run({ page, visit }) {
      await visit();
      await analyzeText(
        page,
        "\u{1F600} I love the camera. The battery is a terrible, awful joke.",
      );
      const sentences = page.locator(".sentences li");
      assert.equal(await sentences.count(), 2);
      assert.match(await sentences.nth(0).innerText(), /I love the camera\.\s+positive/);
      assert.match(await sentences.nth(1).innerText(), /awful joke\.\s+negative/);
      await page.getByText(/^Mixed: strong sentences/).waitFor();
    },
  },
  {
    name: "a text that was seen before comes from the cache, unless it is passed by",
    async run({ page, visit }) {
      await visit();
      const text = anew("The seats were fine and the food was good.");
      await analyzeText(page, text);
      assert.equal(await factOf(page, "cache").innerText(), "none: the model was run");
      assert.match(await factOf(page, "batch").innerText(), /^\d+ rows?, [\d.]+ % padding$/);
      await analyzeText(page, text);
      assert.equal(await factOf(page, "cache").innerText(), "memory");
      await page.getByLabel("pass the caches by").check();
      await analyzeText(page, text);
      assert.equal(await factOf(page, "cache").innerText(), "none: the model was run");
      assert.match(await factOf(page, "inference").innerText(), /^[\d.]+ m?s$/);
    },
  },
  {
    name: "the tier is chosen, and the cascade says who answered",
    async run({ page, visit }) {
      await visit();
      await page.getByLabel("Tier").first().selectOption("TIER_ACCURATE");
      await analyzeText(page, "It is not that I did not like it.");
      assert.match(await factOf(page, "tier").innerText(), /^accurate$/);
      assert.match(await factOf(page, "model").innerText(), /^sentiment_accurate /);
      await page.getByLabel("Tier").first().selectOption("TIER_AUTO");
      const { sentiment } = await analyzeText(page, "I love it.");
      const name = sentiment.tier === "TIER_FAST" ? "fast" : "accurate";
      assert.equal(await factOf(page, "tier").innerText(), `${name} (asked: auto)`);
    },
  },
  {
    name: "a text without words is refused, and the next one is not",
    async run({ page, visit }) {
      await visit();
      await page.getByRole("button", { name: "Analyze", exact: true }).click();
      const alert = page.getByRole("alert");
      await alert.filter({ hasText: "(TEXT_EMPTY)" }).waitFor();
      assert.match(await alert.innerText(), /send a text with words/);
      await analyzeText(page, "It works.");
      assert.equal(await alert.count(), 0);
    },
  },
  {
    name: "a text over the server's limit is refused with its reason",
    async run({ page, visit }) {
      await visit();
      const text = textBox(page);
      await text.fill("long ".repeat(2001));
      await page.getByText("10,005 characters").waitFor();
      await page.getByRole("button", { name: "Analyze", exact: true }).click();
      await page.getByRole("alert").filter({ hasText: "(TEXT_TOO_LONG)" }).waitFor();
    },
  },
  {
    name: "a long text that is truncated says how much of it was read",
    async run({ page, visit }) {
      await visit();
      await page.getByLabel("weigh each word").uncheck();
      await page.getByLabel("A text longer than the model").selectOption("LONG_TEXT_TRUNCATE");
      const { sentiment } = await analyzeText(page, "The film goes on and on. ".repeat(60));
      assert.ok(sentiment.analyzedTokenCount < sentiment.tokenCount);
      await page.getByText(/^Only the first \d+ of \d+ tokens were read\.$/).waitFor();
    },
  },
  {
    name: "markup in a text stays text",
    async run({ page, visit }) {
      await visit();
      const text = `<img src=x onerror="alert(1)"> <b>I love it</b> <script>alert(2)</script>`;
      await analyzeText(page, text);
      assert.equal(await page.locator(".marked").textContent(), text);
      assert.equal(await page.locator("main img, main script").count(), 0);
    },
  },
  {
    name: "half a character is replaced, not refused",
    async run({ page, visit }) {
      await visit();
      await textBox(page).evaluate((area: HTMLTextAreaElement) => {
        area.value = "I love it \ud83d and more";
        area.dispatchEvent(new Event("input", { bubbles: true }));
      });
      await page.getByRole("button", { name: "Analyze", exact: true }).click();
      await resultOf(page).getByText("positive").first().waitFor();
    },
  },
  {
    name: "an example is a click away",
    async run({ page, visit, shoot }) {
      await visit();
      await shoot("start");
      await page.getByRole("button", { name: /^The camera is superb/ }).click();
      await page.getByRole("button", { name: "Analyze", exact: true }).click();
      await page.locator(".sentences li").first().waitFor();
      await shoot("text");
    },
  },
];
