import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import type { Browser, Page } from "playwright-core";
import type { World } from "./world.ts";

const SHOTS = "build/console-shots";
const HEIGHT = 800;
/** What the browser says of a reply that is an error, which flows ask for. */
const EXPECTED_NOISE = /^Failed to load resource/;

export interface Look {
  /** Pixels of CSS. */
  readonly width: number;
  readonly scheme: "light" | "dark";
}

export const LOOKS: readonly Look[] = [
  { width: 360, scheme: "light" },
  { width: 360, scheme: "dark" },
  { width: 1440, scheme: "light" },
  { width: 1440, scheme: "dark" },
];

/** A page of its own for one flow, watched for what it must never do. */
export interface Stage extends Look {
  readonly page: Page;
  readonly world: World;
  /** Opens the console; by default the one before the open server, at its first view. */
  readonly visit: (view?: string, url?: string) => Promise<void>;
  readonly shoot: (name: string) => Promise<void>;
}

export interface Flow {
  readonly name: string;
  readonly run: (stage: Stage) => Promise<void>;
  /** Where it would take long everywhere. */
  readonly isOnce?: boolean;
  /** It tries what the policy forbids. */
  readonly isViolating?: boolean;
}

/** Runs one flow in a new context, so that nothing is left of the one before. */
export async function perform(
  browser: Browser,
  world: World,
  look: Look,
  flow: Flow,
): Promise<void> {
  const context = await browser.newContext({
    viewport: { width: look.width, height: HEIGHT },
    colorScheme: look.scheme,
    hasTouch: look.width < 500,
    acceptDownloads: true,
  });
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(30_000);
    const faults: string[] = [];
    const origins = new Set([world.open, world.keyed].map(({ url }) => new URL(url).origin));
    await watch(page, origins, faults);
    await flow.run({
      ...look,
      page,
      world,
      visit: async (view = "", url = world.open.url) => {
        origins.add(new URL(url).origin);
        await page.goto(`${url}${view}`);
        await page.getByRole("heading", { level: 1 }).waitFor();
      },
      shoot: (name) => shoot(page, `${name}-${look.width}-${look.scheme}`),
    });
    if (!flow.isViolating) assert.deepEqual(faults, []);
    await staysWithinItsWidth(page);
  } finally {
    await context.close();
  }
}

/** Requests to others, errors of the page, and what the policy has stopped. */
async function watch(page: Page, origins: ReadonlySet<string>, faults: string[]): Promise<void> {
  page.on("request", (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol !== "blob:" && !origins.has(origin)) faults.push(`asked ${request.url()}`);
  });
  page.on("pageerror", (error) => faults.push(`failed: ${error}`));
  page.on("console", (message) => {
    const isBad = message.type() === "error" || message.type() === "warning";
    if (isBad && !EXPECTED_NOISE.test(message.text())) faults.push(`said ${message.text()}`);
  });
  page.on("dialog", (dialog) => {
    faults.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.exposeFunction("reportViolation", (what: string) => faults.push(`violated ${what}`));
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) =>
      (globalThis as unknown as { reportViolation: (what: string) => void }).reportViolation(
        `${event.violatedDirective}: ${event.blockedURI} ${event.sample}`,
      ),
    );
  });
}

async function staysWithinItsWidth(page: Page): Promise<void> {
  const [needed, given] = await page.evaluate(() => [
    document.documentElement.scrollWidth,
    document.documentElement.clientWidth,
  ]);
  assert.ok((needed ?? 0) <= (given ?? 0), `the page is ${needed} wide, the window ${given}`);
}

async function shoot(page: Page, name: string): Promise<void> {
  await mkdir(SHOTS, { recursive: true });
  await page.screenshot({ path: `${SHOTS}/${name}.png`, fullPage: true });
}
