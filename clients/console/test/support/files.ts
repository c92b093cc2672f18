import { readFile } from "node:fs/promises";
import type { Page } from "playwright-core";
import { CsvReader, type Row } from "../../src/file/csv-reader.ts";

/** Picks a file by the form, and waits until its beginning is shown. */
export async function pick(page: Page, name: string, content: string | Buffer): Promise<void> {
  await page.getByLabel("A CSV file").setInputFiles({
    name,
    mimeType: "text/csv",
    buffer: Buffer.from(content),
  });
  await page.getByRole("heading", { name: "What is in it" }).waitFor();
}

export const startRun = (page: Page) => page.getByRole("button", { name: "Run the file" }).click();

export const untilDone = (page: Page, timeoutMs = 60_000) =>
  page.getByText("Done", { exact: true }).waitFor({ timeout: timeoutMs });

export const resultLink = (page: Page) => page.getByRole("link", { name: "Download the result" });

/** Downloads the result. */
export async function download(page: Page): Promise<{ name: string; text: string }> {
  const downloading = page.waitForEvent("download");
  await resultLink(page).click();
  const file = await downloading;
  return { name: file.suggestedFilename(), text: await readFile(await file.path(), "utf8") };
}

export function rowsOf(text: string, delimiter = ","): readonly Row[] {
  const reader = new CsvReader(delimiter);
  return [...reader.push(text.replace(/^\ufeff/, "")), ...reader.end()];
}
