import assert from "node:assert/strict";
import { truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { examine } from "../../../../clients/node/command/examine.js";
import { type ScratchFolder, scratchFolder } from "../../../support/scratch-folder.js";

const CSV = { hasHead: true, hasQuotes: true };
const LINES = { hasHead: false, hasQuotes: false };
const RECORDS = ['\uFEFF"a,\nb",c\n', "1,2\n", '"say ""é\n""\n",\n', '"""",""""""\n', "é,\n"];

describe("an output that is gone on with", () => {
  let folder: ScratchFolder;
  let file: string;
  before(async () => {
    folder = await scratchFolder();
    file = join(folder.path, "out.csv");
  });
  after(() => folder[Symbol.asyncDispose]());

  it("has as many whole records as stood before any byte that it ends at", async () => {
    const ends = RECORDS.map((_, place) => Buffer.byteLength(RECORDS.slice(0, place + 1).join("")));
    const wanted = (count: number) => ({
      records: Math.max(0, count - 1),
      end: ends[count - 1] ?? 0,
      head: count === 0 ? "" : RECORDS[0],
      last: count < 2 ? "" : RECORDS[count - 1],
    });
    await writeFile(file, RECORDS.join(""));
    for (let length = ends.at(-1) ?? 0; length >= 0; length--) {
      await truncate(file, length);
      const count = ends.filter((end) => end <= length).length;
      assert.deepEqual(await examine(file, CSV), wanted(count), `${length} bytes`);
    }
  });

  it("has lines where quotes mean nothing", async () => {
    await writeFile(file, 'one "\ntwo\nthr');
    const written = { records: 2, end: 10, head: "", last: "two\n" };
    assert.deepEqual(await examine(file, LINES), written);
  });

  it("has nothing where there is none", async () => {
    const none = { records: 0, end: 0, head: "", last: "" };
    assert.deepEqual(await examine(join(folder.path, "none"), CSV), none);
  });
});
