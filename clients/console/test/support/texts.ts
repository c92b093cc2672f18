import type { Page } from "playwright-core";
import type { AnalyzeResponse } from "../../src/api/messages.ts";

/** Of the view that is shown. */
export const textBox = (page: Page) => page.getByRole("textbox", { name: "Text", exact: true });

/** Types a text into the first view and has it analyzed; resolves when the answer is shown. */
export async function analyzeText(page: Page, text: string): Promise<AnalyzeResponse> {
  await textBox(page).fill(text);
  const answered = page.waitForResponse((reply) => reply.url().endsWith("/api/analyze"));
  await page.getByRole("button", { name: "Analyze", exact: true }).click();
  const answer = await (await answered).json();
  await page.getByRole("button", { name: "Analyze", exact: true }).waitFor();
  return answer;
}

export const resultOf = (page: Page) => page.getByRole("region", { name: "Result" });

/** What is said under that name in a list of names and values. */
export const factOf = (page: Page, name: string) =>
  page
    .locator("div:not([hidden]) > div, div:not([hidden]) > section")
    .locator("dl > div")
    .filter({ has: page.locator("dt").getByText(name, { exact: true }) })
    .locator("dd")
    .first();
