import assert from "node:assert/strict";
import { linesOf } from "../../../server/core/lines.js";

async function linesIn(chunks: readonly string[], maxBytes = 100): Promise<string[]> {
  async function* stream() {
    for (const chunk of chunks) yield Buffer.from(chunk);
  }
  const lines: string[] = [];
  for await (const line of linesOf(stream(), maxBytes)) lines.push(Buffer.from(line).toString());
  return lines;
}

describe("lines of a stream", () => {
  for (const chunks of [
    ["one\n\ntwo\nthree"],
    [..."one\n\ntwo\nthree"],
    ["one", "\n\ntwo\n", "thr", "ee\n"],
  ]) {
    it(`do not depend on how it is cut up: ${JSON.stringify(chunks)}`, async () => {
      assert.deepEqual(await linesIn(chunks), ["one", "", "two", "three"]);
    });
  }

  it("are none of a stream of nothing", async () => {
    assert.deepEqual(await linesIn([]), []);
    assert.deepEqual(await linesIn([""]), []);
  });

  it("are cut at their most bytes, within a chunk and over several", async () => {
    assert.deepEqual(await linesIn(["1234567\n12345\n1"], 5), ["12345", "12345", "1"]);
    assert.deepEqual(await linesIn(["123", "456", "7\n12", "3456"], 5), ["12345", "12345"]);
  });
});
