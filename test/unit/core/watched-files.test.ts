import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { watchFiles } from "../../../server/core/watched-files.js";
import { FakeClock } from "../../support/fake-clock.js";
import { until } from "../../support/held-backend.js";
import { recorder } from "../../support/recorder.js";
import { type ScratchFolder, scratchFolder } from "../../support/scratch-folder.js";

describe("watchFiles", () => {
  let folder: ScratchFolder;
  let clock: FakeClock;
  let paths: readonly string[];
  beforeEach(async () => {
    folder = await scratchFolder();
    clock = new FakeClock();
    paths = ["one", "two"].map((name) => join(folder.path, name));
    await write("a", "a");
  });
  afterEach(() => folder[Symbol.asyncDispose]());

  const write = (...texts: readonly string[]) =>
    Promise.all(texts.map((text, index) => writeFile(paths[index] ?? "", text)));

  /** Files that belong together when they hold the same. */
  async function watched() {
    const [read, reads] = recorder(async () => {
      const [one, two] = await Promise.all(paths.map((path) => readFile(path, "utf8")));
      if (one !== two) throw new Error(`${one} is not ${two}`);
      return one;
    });
    const [reread, rereadings] = recorder((_text: string | undefined) => {});
    const [broken, faults] = recorder((_error: unknown) => {});
    const files = await watchFiles(paths, read, clock, { reread, broken });
    const look = async () => {
      clock.advance(1000);
      await until(() => clock.pending === 1);
    };
    return { files, reads, rereadings, faults, look };
  }

  it("takes in a change of any of them, once", async () => {
    const { files, reads, rereadings, look } = await watched();
    using _closed = files;
    await look();
    assert.deepEqual([files.latest, reads.length], ["a", 1]);
    await write("b", "b");
    await look();
    await look();
    assert.deepEqual([files.latest, reads.length, rereadings], ["b", 2, [["b"]]]);
  });

  it("keeps what it has while files are half replaced, tells it once a change, and takes them once they fit", async () => {
    const { files, rereadings, faults, look } = await watched();
    using _closed = files;
    await write("b", "a");
    await look();
    await look();
    assert.deepEqual([files.latest, faults.map(String)], ["a", ["Error: b is not a"]]);
    await rm(paths[1] ?? "");
    await look();
    assert.match(String(faults[1]), /ENOENT/);
    await write("b", "b");
    await look();
    assert.deepEqual([files.latest, faults.length, rereadings], ["b", 2, [["b"]]]);
  });

  it("reads what was broken again though nothing has changed since: it may have been read while it was written", async () => {
    let works = true;
    const read = async () => {
      if (!works) throw new Error("cut short");
      return "whole";
    };
    const [broken, faults] = recorder((_error: unknown) => {});
    const [reread, rereadings] = recorder((_text: string) => {});
    using _files = await watchFiles(paths, read, clock, { reread, broken });
    const look = async () => {
      clock.advance(1000);
      await until(() => clock.pending === 1);
    };
    works = false;
    await write("c", "c");
    await look();
    await look();
    works = true;
    await look();
    await look();
    assert.deepEqual([faults.length, rereadings], [1, [["whole"]]]);
  });

  it("throws at the start what the reading throws, and looks no more then", async () => {
    await write("a", "b");
    await assert.rejects(watched(), /a is not b/);
    assert.equal(clock.pending, 0);
  });
});
