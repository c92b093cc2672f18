import assert from "node:assert/strict";
import { download, pick, resultLink, rowsOf, startRun, untilDone } from "../support/files.ts";
import type { Flow } from "../support/stage.ts";

const ODD =
  '\ufeffid,review,stars\r\n1,"I love it, ""really""",5\r\n2,"Terrible.\r\nBroken on day one.",1\r\n3,,\r\n4,The meeting is on Tuesday.,3\r\n';
/** So many that a run takes a while, and no cache knows them. */
const many = (rows: number) =>
  `text\n${Array.from({ length: rows }, (_, at) => `Number ${at} of ${Math.random()} was a good film\n`).join("")}`;
/** Longest that the page may not answer, on a machine that does other things as well. */
const FREEZE_MS = 1500;

export const FILE_FLOWS: readonly Flow[] = [
  {
    name: "a CSV with quotes, line breaks and a byte order mark comes back with columns added",
    async run({ page, visit, shoot }) {
      await visit("#file");
      await pick(page, "reviews.csv", ODD);
      assert.equal(await page.getByLabel("Column with the texts").inputValue(), "1");
      await shoot("file-preview");
      await startRun(page);
      await untilDone(page);
      const { name, text } = await download(page);
      assert.equal(name, "reviews.sentiment.csv");
      assert.ok(text.startsWith("\ufeffid,review,stars,sentiment_label,"));
      const rows = rowsOf(text);
      assert.deepEqual(
        rows.slice(1).map((row) => [row[0], row[1], row[2], row[3], row.at(-1)]),
        [
          ["1", 'I love it, "really"', "5", "positive", ""],
          ["2", "Terrible.\r\nBroken on day one.", "1", "negative", ""],
          ["3", "", "", "", "TEXT_EMPTY"],
          ["4", "The meeting is on Tuesday.", "3", "neutral", ""],
        ],
      );
      assert.ok(Number(rows[2]?.[4]) < -0.3, rows[2]?.[4]);
      await shoot("file-done");
    },
  },
  {
    name: "a file that is dropped on another view is taken there",
    async run({ page, visit }) {
      await visit("#text");
      const data = await page.evaluateHandle(() => {
        const transfer = new DataTransfer();
        transfer.items.add(
          new File(["a;b\nx;I love it\ny;I hate it\n"], "two.csv", { type: "text/csv" }),
        );
        return transfer;
      });
      await page.dispatchEvent("main", "dragover", { dataTransfer: data });
      await page.getByText("Drop the file to run it").waitFor();
      await page.dispatchEvent("main", "drop", { dataTransfer: data });
      await page.getByRole("heading", { name: "What is in it" }).waitFor();
      assert.match(page.url(), /#file$/);
      assert.equal(await page.getByLabel("Delimiter").inputValue(), ";");
      await startRun(page);
      await untilDone(page);
      const rows = rowsOf((await download(page)).text, ";");
      assert.deepEqual(
        rows.slice(1).map((row) => row.slice(0, 3)),
        [
          ["x", "I love it", "positive"],
          ["y", "I hate it", "negative"],
        ],
      );
    },
  },
  {
    name: "another column, and a file without a header",
    async run({ page, visit }) {
      await visit("#file");
      await pick(
        page,
        "plain.csv",
        "I love it,something much longer that is not asked about\nI hate it,more of that kind\n",
      );
      await page.getByLabel("the first line names the columns").uncheck();
      await page.getByLabel("Column with the texts").selectOption({ label: "column 1" });
      await startRun(page);
      await untilDone(page);
      const rows = rowsOf((await download(page)).text);
      assert.deepEqual(
        rows.map((row) => row[2]),
        ["sentiment_label", "positive", "negative"],
      );
    },
  },
  {
    name: "formulas of the file are made harmless, unless that is switched off",
    async run({ page, visit }) {
      await visit("#file");
      const content = 'name,text\n"=HYPERLINK(""http://x.test"",""y"")",I love it\n@SUM(1),-5\n';
      await pick(page, "formulas.csv", content);
      await startRun(page);
      await untilDone(page);
      const rows = rowsOf((await download(page)).text);
      assert.equal(rows[1]?.[0], '\'=HYPERLINK("http://x.test","y")');
      assert.deepEqual(rows[2]?.slice(0, 2), ["'@SUM(1)", "-5"]);
      await page.getByLabel("make formulas harmless").uncheck();
      const before = await resultLink(page).getAttribute("href");
      await startRun(page);
      await page.locator(`a[href^="blob:"]:not([href="${before}"])`).waitFor();
      assert.equal(rowsOf((await download(page)).text)[2]?.[0], "@SUM(1)");
    },
  },
  {
    name: "a run that is cancelled keeps what was answered",
    async run({ page, visit, shoot }) {
      await visit("#file");
      await pick(page, "many.csv", many(20_000));
      await startRun(page);
      await page.getByText(/^[\d,]{3,} rows, \d[\d,.]* a second/).waitFor();
      await shoot("file-running");
      await page.getByRole("button", { name: "Cancel" }).click();
      await page.getByText("Cancelled. What was answered").waitFor();
      const texts = rowsOf((await download(page)).text)
        .slice(1)
        .map(([text]) => text ?? "");
      assert.ok(texts.length >= 100 && texts.length < 20_000, String(texts.length));
      assert.ok(texts.every((text, at) => text.startsWith(`Number ${at} of `)));
      // And it can be run again.
      await page.getByRole("button", { name: "Run the file" }).waitFor();
    },
  },
  {
    name: "a quota that is used up is waited for, as long as the server says",
    async run({ page, visit, world }) {
      const key = await world.newKey(2_000);
      await visit("#file", world.keyed.url);
      await page.getByRole("button", { name: "Key", exact: true }).click();
      await page.getByLabel("API key or token").fill(key);
      await page.getByRole("button", { name: "Use it" }).click();
      await pick(page, "many.csv", many(150));
      await startRun(page);
      await page.getByText(/^Waiting: /).waitFor();
      await untilDone(page, 120_000);
      const rows = rowsOf((await download(page)).text).slice(1);
      assert.equal(rows.length, 150);
      assert.ok(rows.every((row) => row[1] === "positive" && row.at(-1) === ""));
    },
  },
  {
    name: "a file of 100 MB is run without the page standing still",
    isOnce: true,
    async run({ page, visit }) {
      await visit("#file");
      await page.evaluate(() => {
        const note = "x".repeat(10_000);
        const line = (at: number) => `"Film ${at % 40}, which I love",${note}\n`;
        const parts = Array.from({ length: 100 }, (_, part) =>
          Array.from({ length: 100 }, (_, at) => line(100 * part + at)).join(""),
        );
        const transfer = new DataTransfer();
        transfer.items.add(new File(["text,note\n", ...parts], "large.csv", { type: "text/csv" }));
        document.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true }));
        const seen = globalThis as unknown as { longestMs: number };
        seen.longestMs = 0;
        let lastMs = performance.now();
        setInterval(() => {
          seen.longestMs = Math.max(seen.longestMs, performance.now() - lastMs);
          lastMs = performance.now();
        }, 20);
      });
      await page.getByText("100.2 MB").or(page.getByText("100.3 MB")).first().waitFor();
      assert.equal(await page.getByLabel("Column with the texts").inputValue(), "0");
      await startRun(page);
      await untilDone(page, 300_000);
      await page
        .getByText(/^10,000 rows, \d+/)
        .first()
        .waitFor();
      const longestMs = await page.evaluate(
        () => (globalThis as unknown as { longestMs: number }).longestMs,
      );
      process.stdout.write(
        `100 MB: the page stood still for ${Math.round(longestMs)} ms at most\n`,
      );
      assert.ok(longestMs < FREEZE_MS, `it stood still for ${longestMs} ms`);
    },
  },
  {
    name: "a file that is cut off from the bridge says why, and keeps what it has",
    async run({ page, visit, world }) {
      await visit("#file", world.keyed.url);
      await pick(page, "two.csv", "text\nI love it\nI hate it\n");
      await startRun(page);
      const alert = page.getByRole("alert");
      await alert.filter({ hasText: "(KEY_MISSING)" }).waitFor();
      assert.equal(rowsOf((await download(page)).text).length, 1);
      await alert.getByRole("button", { name: "Enter a key" }).click();
      await page.getByRole("dialog").waitFor();
      await page.keyboard.press("Escape");
    },
  },
];
