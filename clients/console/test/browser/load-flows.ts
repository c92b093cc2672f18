import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import type { Flow } from "../support/stage.ts";

/** Bytes of script, as it is run. */
const SCRIPT_BUDGET = 100_000;
const STYLE_BUDGET = 30_000;

export const LOAD_FLOWS: readonly Flow[] = [
  {
    name: "the page is small: under 100 kB of script, in few requests",
    async run({ page, visit }) {
      const bodies = new Map<string, Promise<Buffer>>();
      page.on("response", (reply) => bodies.set(reply.url(), reply.body()));
      await visit();
      await page.waitForLoadState("networkidle");
      const sizes = { js: 0, css: 0, jsZipped: 0 };
      for (const [url, body] of bodies) {
        const kind = url.split(".").at(-1);
        if (kind !== "js" && kind !== "css") continue;
        const bytes = await body;
        sizes[kind] += bytes.byteLength;
        if (kind === "js") sizes.jsZipped += gzipSync(bytes).byteLength;
      }
      assert.ok(sizes.js > 10_000 && sizes.js < SCRIPT_BUDGET, JSON.stringify(sizes));
      assert.ok(sizes.css > 1_000 && sizes.css < STYLE_BUDGET, JSON.stringify(sizes));
      assert.ok(bodies.size <= 6, [...bodies.keys()].join());
      const said = `script ${sizes.js} bytes, gzip ${sizes.jsZipped}; style ${sizes.css} bytes`;
      process.stdout.write(`${said}\n`);
    },
  },
  {
    name: "its policy stops scripts and styles that are put into it",
    isViolating: true,
    async run({ page, visit }) {
      await visit();
      const said = await page.evaluate(async () => {
        const violated: string[] = [];
        addEventListener("securitypolicyviolation", ({ effectiveDirective }) =>
          violated.push(effectiveDirective),
        );
        const style = document.createElement("style");
        style.textContent = "body { outline: 7px solid red }";
        document.head.append(style);
        document.body.setAttribute("style", "outline-width: 7px");
        const image = new Image();
        image.src = "data:image/gif;base64,R0lGODlhAQABAAAAACw=";
        try {
          document.body.append(
            Object.assign(document.createElement("script"), { text: "ran = 1" }),
          );
        } catch {
          violated.push("a script of text is refused");
        }
        await new Promise((resolve) => setTimeout(resolve, 200));
        const { outlineWidth } = getComputedStyle(document.body);
        return { violated, outlineWidth, ran: "ran" in globalThis };
      });
      assert.equal(said.ran, false);
      assert.notEqual(said.outlineWidth, "7px");
      for (const directive of [
        "style-src-elem",
        "style-src-attr",
        "img-src",
        "a script of text is refused",
      ])
        assert.ok(said.violated.includes(directive), `${directive}: ${said.violated}`);
    },
  },
  {
    name: "it is loaded again out of the browser's cache",
    async run({ page, visit }) {
      await visit();
      await page.reload();
      await page.getByRole("heading", { level: 1 }).waitFor();
      const sizes = await page.evaluate(() =>
        performance
          .getEntriesByType("resource")
          .filter(({ name }) => name.includes("/assets/"))
          .map((entry) => (entry as PerformanceResourceTiming).transferSize),
      );
      assert.ok(sizes.length >= 2 && sizes.every((size) => size === 0), sizes.join());
    },
  },
];
