import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Codec } from "../../server/cache/cache.js";
import { CacheKeeping } from "../../server/cache-keeping.js";
import { createLog } from "../../server/observe/log.js";
import type { FakeClock } from "../support/fake-clock.js";
import { until } from "../support/held-backend.js";
import { cacheOf, numbered, type Sized, sized } from "./cache/cached.js";

const codec: Codec<Sized> = {
  encode: ({ name }) => Buffer.from(name),
  decode: (bytes) => sized(Buffer.from(bytes).toString()),
};
const hashed = (name: string, space = "served") => ({
  space,
  hash: hash("sha256", name, "base64url"),
});

describe("CacheKeeping", () => {
  let folder: string;
  let file: string;
  let lines: Record<string, unknown>[];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "sentiment-keeping-"));
    file = join(folder, "answers");
    lines = [];
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** What one run of the process has: its caches and its clock. */
  const run = () => {
    const { cache: text, clock } = cacheOf({ maxEntries: 10_000 });
    const { cache: reading } = cacheOf();
    const caches = new Map([
      ["text", text],
      ["reading", reading],
    ]);
    const log = createLog("debug", { write: (line) => lines.push(JSON.parse(line)) });
    const keeping = new CacheKeeping({ file, codec, caches, maxAgeMs: 60_000 }, clock, log);
    const restore = () => keeping.restore((space) => space === "served");
    return { text, reading, clock, keeping, restore };
  };
  const savedRun = async (count = 50) => {
    const { text, reading, keeping } = run();
    text.set(numbered("text", count).map((name) => [hashed(name), sized(name)]));
    text.set([[hashed("text", "gone"), sized("gone")]]);
    reading.set([[hashed("reading"), sized("reading")]]);
    await keeping.save();
  };
  const said = (message: string) => lines.filter(({ msg }) => String(msg).includes(message));

  it("brings back what caches had, each its own, for spaces that are served", async () => {
    await savedRun();
    const { text, reading, restore, clock } = run();
    await restore();
    assert.equal(text.entries, 50);
    assert.equal(text.peek(hashed("text7"))?.name, "text7");
    assert.equal(text.peek(hashed("text", "gone")), undefined);
    assert.equal(reading.peek(hashed("reading"))?.name, "reading");
    const [line] = said("answers of the run before");
    const { level, restored, notServed, left, damaged } = line ?? {};
    assert.deepEqual([level, restored, notServed, left, damaged], ["info", 51, 1, 0, 0]);
    assert.equal(clock.pending, 0);
  });

  it("waits no longer than a second, and goes on then", async () => {
    await savedRun();
    const { text, restore, clock } = run();
    const restored = restore();
    clock.advance(1000);
    await restored;
    assert.equal(text.entries, 0);
    await until(() => text.entries === 50);
  });

  it("restores nothing more once it is to be forgotten, nor at the next start", async () => {
    // So many that they are not all read at once.
    await savedRun(9000);
    const first = run();
    const restored = first.restore();
    await until(() => first.text.entries > 0);
    const forgotten = first.keeping.forget();
    const before = first.text.entries;
    await Promise.all([restored, forgotten]);
    assert.equal(first.text.entries, before);
    assert.ok(before < 9000, `${before}`);
    assert.deepEqual(await readdir(folder), []);
    const second = run();
    await second.restore();
    assert.equal(second.text.entries, 0);
    assert.deepEqual([said("not used"), said("could not")], [[], []]);
  });

  it("writes no file of nothing, and leaves the one that is there", async () => {
    await run().keeping.save();
    assert.deepEqual(await readdir(folder), []);
    await savedRun();
    await run().keeping.save();
    const { text, restore } = run();
    await restore();
    assert.equal(text.entries, 50);
  });

  it("holds a drain up for five seconds at most", async () => {
    const { text, keeping, clock }: { clock: FakeClock } & ReturnType<typeof run> = run();
    text.set([[hashed("text"), sized("text")]]);
    const saved = keeping.save();
    clock.advance(5000);
    await saved;
    const [line] = said("could not be kept");
    assert.match(JSON.stringify(line), /not written within 5 s/);
  });

  it("fails nothing where the file cannot be written or removed: the log tells", async () => {
    file = join(folder, "missing", "answers");
    await savedRun();
    assert.equal(said("could not be kept")[0]?.["level"], "error");
    file = folder;
    await run().keeping.forget();
    assert.equal(said("could not be removed")[0]?.["level"], "error");
  });

  it("says what is wrong with a file that is not used, or not all of it", async () => {
    await writeFile(file, "something else");
    await run().restore();
    assert.deepEqual(
      said("not used").map(({ level, why }) => [level, why]),
      [["warn", "it is not of format 1"]],
    );
    await savedRun();
    await writeFile(file, "cut", { flag: "a" });
    const { text, restore } = run();
    await restore();
    const [line] = said("answers of the run before");
    assert.deepEqual([line?.["level"], line?.["damaged"], text.entries], ["warn", 1, 50]);
  });
});
