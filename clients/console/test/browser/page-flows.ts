import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import type { Flow } from "../support/stage.ts";
import { analyzeText, resultOf, textBox } from "../support/texts.ts";
import { startBridge, startQuickServer } from "../support/world.ts";

const keyButton = (page: Page) => page.getByRole("button", { name: "Key", exact: true });
const storedKey = (page: Page) => page.evaluate(() => sessionStorage.getItem("sentiment-key"));

async function enterKey(page: Page, key: string, keep: boolean): Promise<void> {
  await page.getByLabel("API key or token").fill(key);
  await page.getByLabel("keep it until this tab is closed").setChecked(keep);
  await page.getByRole("button", { name: "Use it" }).click();
}

async function isRefused(page: Page, reason: string): Promise<void> {
  await textBox(page).fill("I love it.");
  await page.getByRole("button", { name: "Analyze", exact: true }).click();
  await page
    .getByRole("alert")
    .filter({ hasText: `(${reason})` })
    .waitFor();
}

const ground = (page: Page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);

/** What has the focus, as people would name it. */
const focused = (page: Page) =>
  page.evaluate(() => {
    const element = document.activeElement;
    if (element === null || element === document.body) return "";
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    const isSeen = outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 2;
    const name = element.getAttribute("id") ?? element.textContent?.trim().slice(0, 20);
    return `${element.tagName.toLowerCase()} ${name}${isSeen ? "" : " (unseen)"}`;
  });

export const PAGE_FLOWS: readonly Flow[] = [
  {
    name: "a server that wants a key is given one, which is in no address and forgotten on leaving",
    async run({ page, visit, world, shoot }) {
      const key = await world.newKey();
      const urls: string[] = [];
      page.on("request", (request) => urls.push(request.url()));
      await visit("", world.keyed.url);
      await isRefused(page, "KEY_MISSING");
      await shoot("key-missing");
      await page.getByRole("button", { name: "Enter a key" }).click();
      await page.getByRole("dialog", { name: "Key" }).waitFor();
      await shoot("key-dialog");
      await enterKey(page, key, false);
      await analyzeText(page, "I love it.");
      assert.equal(await storedKey(page), null);
      assert.ok(urls.every((url) => !url.includes(key)) && !page.url().includes(key));
      await page.reload();
      await isRefused(page, "KEY_MISSING");
    },
  },
  {
    name: "a key is kept for this tab where that is asked for, and forgotten where that is",
    async run({ page, visit, world }) {
      const key = await world.newKey();
      await visit("", world.keyed.url);
      await keyButton(page).click();
      await enterKey(page, key, true);
      await page.reload();
      await analyzeText(page, "I love it.");
      assert.equal(await storedKey(page), key);
      assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), []);
      await keyButton(page).click();
      await page.getByRole("button", { name: "Forget it" }).click();
      assert.equal(await storedKey(page), null);
      await isRefused(page, "KEY_MISSING");
    },
  },
  {
    name: "a wrong key is refused, and what is no key is not sent",
    async run({ page, visit, world }) {
      await visit("", world.keyed.url);
      await keyButton(page).click();
      await enterKey(page, "sap_nobody_made_this", false);
      await isRefused(page, "KEY_UNKNOWN");
      await keyButton(page).click();
      await page.getByLabel("API key or token").fill("two words");
      await page.getByText(/^No key looks like this/).waitFor();
      await page.keyboard.press("Enter");
      await page.getByRole("dialog").waitFor();
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "hidden" });
      assert.equal(await focused(page), "button Key");
    },
  },
  {
    name: "a server that is gone is told of, and is used again when it is back",
    async run({ page, visit }) {
      const server = await startQuickServer();
      const port = server.address.split(":").at(-1) ?? "";
      await using bridge = await startBridge({ SENTIMENT_ADDRESS: server.address });
      try {
        await visit("", bridge.url);
        await page.getByText("server ready").waitFor();
        await analyzeText(page, "I love it.");
      } finally {
        await server[Symbol.asyncDispose]();
      }
      await page.getByRole("button", { name: "Analyze", exact: true }).click();
      await page
        .getByRole("alert")
        .filter({ hasText: /SERVER_DOWN\)\s*It may be asked again in \d+ s/ })
        .waitFor();
      await page.getByText("server not ready").waitFor();
      await using _again = await startQuickServer({ GRPC_PORT: port });
      await page.getByText("server ready").waitFor();
      await analyzeText(page, "I love it.");
    },
  },
  {
    name: "a bridge that cannot be reached is told of",
    async run({ page, visit }) {
      await visit();
      await page.route("**/api/analyze", (route) => route.abort("connectionrefused"));
      await isRefused(page, "UNREACHABLE");
      await page.unroute("**/api/analyze");
      await analyzeText(page, "I love it.");
    },
  },
  {
    name: "all of it can be reached by keys, is seen to have the focus, and holds nobody fast",
    async run({ page, visit, width }) {
      await visit("#text");
      const stops: string[] = [];
      for (let tabs = 0; tabs < 40; tabs++) {
        await page.keyboard.press("Tab");
        const stop = await focused(page);
        if (stop === "") break;
        stops.push(stop);
      }
      assert.deepEqual(
        stops.filter((stop) => stop.endsWith("(unseen)")),
        [],
      );
      assert.equal(stops[0], "button Skip to the content");
      for (const wanted of [
        "a Text",
        "a Compare",
        "a File",
        "a Live",
        "button Key",
        "textarea text-input",
        "button Analyze",
      ])
        assert.ok(stops.includes(wanted), `${wanted} is not in ${stops.join(", ")} at ${width}`);
      assert.ok(stops.length < 40, "the focus does not come to an end");
    },
  },
  {
    name: "the content can be skipped to, and a text be analyzed, by keys alone",
    async run({ page, visit }) {
      await visit("#text");
      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      assert.equal(await focused(page), "main main");
      assert.match(page.url(), /#text$/);
      await page.keyboard.press("Tab");
      await page.keyboard.type("I love it.");
      for (let tabs = 0; tabs < 20 && (await focused(page)) !== "button Analyze"; tabs++)
        await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      await resultOf(page).getByText("positive").first().waitFor();
    },
  },
  {
    name: "views have addresses, and keep what was typed",
    async run({ page, visit }) {
      await visit("#compare");
      await textBox(page).fill("kept");
      await page.getByRole("link", { name: "File" }).click();
      await page.getByRole("heading", { level: 1, name: "File" }).waitFor();
      assert.match(await page.title(), /^File · /);
      assert.equal(
        await page.getByRole("link", { name: "File" }).getAttribute("aria-current"),
        "page",
      );
      await page.goBack();
      await page.getByRole("heading", { level: 1, name: "Compare" }).waitFor();
      assert.equal(await textBox(page).inputValue(), "kept");
    },
  },
  {
    name: "colours follow the system, or what was chosen, which is kept",
    async run({ page, visit, scheme }) {
      await visit();
      const own = await ground(page);
      const other = scheme === "light" ? "dark" : "light";
      await page.getByLabel("Colours").selectOption(other);
      const chosen = await ground(page);
      assert.notEqual(chosen, own);
      await page.reload();
      await page.getByRole("heading", { level: 1 }).waitFor();
      assert.equal(await ground(page), chosen);
      await page.getByLabel("Colours").selectOption("system");
      assert.equal(await ground(page), own);
    },
  },
  {
    name: "nothing moves for those who want it so",
    async run({ page, visit }) {
      await page.emulateMedia({ reducedMotion: "reduce" });
      await visit();
      await analyzeText(page, "I love it.");
      const moving = await page.evaluate(
        () =>
          [...document.querySelectorAll("*")]
            .map((element) => getComputedStyle(element))
            .filter(
              ({ transitionDuration, animationName }) =>
                transitionDuration !== "0s" || animationName !== "none",
            ).length,
      );
      assert.equal(moving, 0);
    },
  },
];
