import { after, before, describe, it } from "node:test";
import { type Browser, chromium } from "playwright-core";
import { LOOKS, perform } from "../support/stage.ts";
import { startWorld, type World } from "../support/world.ts";
import { ACCESS_FLOWS } from "./access-flows.ts";
import { COMPARE_FLOWS } from "./compare-flows.ts";
import { FILE_FLOWS } from "./file-flows.ts";
import { LIVE_FLOWS } from "./live-flows.ts";
import { LOAD_FLOWS } from "./load-flows.ts";
import { PAGE_FLOWS } from "./page-flows.ts";
import { TEXT_FLOWS } from "./text-flows.ts";

const FLOWS = [
  ...LOAD_FLOWS,
  ...TEXT_FLOWS,
  ...COMPARE_FLOWS,
  ...FILE_FLOWS,
  ...LIVE_FLOWS,
  ...PAGE_FLOWS,
  ...ACCESS_FLOWS,
];
/** It asks for nothing by itself; as root it has no sandbox. */
const CHROMIUM_ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

describe("the console, in Chromium", { timeout: 3_600_000 }, () => {
  let world: World;
  let browser: Browser;
  before(async () => {
    world = await startWorld();
    browser = await chromium.launch({
      executablePath: process.env["CHROMIUM"] ?? "clients/console/test/chromium/start.sh",
      args: CHROMIUM_ARGS,
    });
  });
  after(async () => {
    await browser?.close();
    await world?.[Symbol.asyncDispose]();
  });

  for (const [at, look] of LOOKS.entries())
    describe(`${look.width} pixels wide, ${look.scheme}`, () => {
      for (const flow of FLOWS)
        if (!flow.isOnce || at === 0) it(flow.name, () => perform(browser, world, look, flow));
    });
});
