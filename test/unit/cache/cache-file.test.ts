import assert from "node:assert/strict";
import { hash } from "node:crypto";
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CacheFileError,
  type Filed,
  readCacheFile,
  removeCacheFile,
  writeCacheFile,
} from "../../../server/cache/cache-file.js";
import { bytesCodec } from "../../support/cache-doubles.js";

const NEVER = new AbortController().signal;
const SAVED_MS = 1_800_000_000_000;
const HOUR_MS = 3_600_000;

type Bytes = Filed<Uint8Array>;

const filed = (name: string, value: readonly number[] = [1, 2, 3]): Bytes => ({
  cache: "text",
  kept: {
    key: { space: "balanced", hash: hash("sha256", name, "base64url") },
    value: Uint8Array.from(value),
    hits: 7,
    leftMs: 5000,
  },
});
const namesOf = (values: readonly Bytes[]) => values.map(({ kept }) => kept.key.hash);

describe("the cache file", function () {
  this.timeout(20_000);
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "sentiment-cache-"));
    file = join(folder, "answers");
  });
  afterEach(() => rm(folder, { recursive: true }));

  const write = (values: Iterable<Bytes>, signal = NEVER) =>
    writeCacheFile(file, values, bytesCodec, SAVED_MS, signal);
  const read = async ({ nowMs = SAVED_MS, maxAgeMs = HOUR_MS, turn = () => undefined } = {}) => {
    const values: Bytes[] = [];
    const take = (value: Bytes) => values.push(value);
    const damaged = await readCacheFile(file, { codec: bytesCodec, nowMs, maxAgeMs, take, turn });
    return { values, damaged };
  };
  const refuses = (why: RegExp, options = {}) =>
    assert.rejects(
      read(options),
      (error) => error instanceof CacheFileError && why.test(error.message),
    );
  const lines = async () => (await readFile(file, "latin1")).split("\n");
  const change = async (edit: (lines: string[]) => void) => {
    const all = await lines();
    edit(all);
    await writeFile(file, all.join("\n"), "latin1");
  };

  it("gives back what was written, in its order, less the time since", async () => {
    const values = [filed("one"), { ...filed("two", []), cache: "reading" }];
    assert.equal(await write(values), 2);
    const back = await read({ nowMs: SAVED_MS + 1000 });
    const aged = values.map(({ cache, kept }) => ({ cache, kept: { ...kept, leftMs: 4000 } }));
    assert.deepEqual(back, { values: aged, damaged: 0 });
  });

  it("gives back thousands, over many reads of the file", async () => {
    const values = Array.from({ length: 5000 }, (_, place) => filed(`${place}`, [place % 256]));
    await write(values);
    let turns = 0;
    const turn = () => {
      turns++;
      return undefined;
    };
    assert.deepEqual((await read({ turn })).values, values);
    assert.equal(turns, 5000);
  });

  it("is its owner's alone, and the only thing that is left in the folder", async () => {
    await write([filed("one")]);
    await chmod(file, 0o644);
    await write([filed("two")]);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.deepEqual(await readdir(folder), ["answers"]);
    assert.deepEqual(namesOf((await read()).values), namesOf([filed("two")]));
  });

  it("stays behind the link that names it", async () => {
    const link = file;
    file = join(folder, "elsewhere");
    await write([filed("one")]);
    await symlink(file, link);
    file = link;
    await write([filed("two")]);
    assert.equal(await realpath(link), await realpath(join(folder, "elsewhere")));
    assert.deepEqual(namesOf((await read()).values), namesOf([filed("two")]));
  });

  it("is removed behind that link, and may be gone already", async () => {
    await write([filed("one")]);
    const link = join(folder, "link");
    await symlink(file, link);
    await removeCacheFile(link);
    await removeCacheFile(file);
    assert.deepEqual(await readdir(folder), ["link"]);
  });

  it("of two that are written at once is one of them, whole", async () => {
    const [ones, others] = ["one", "other"].map((name) =>
      Array.from({ length: 3000 }, (_, place) => filed(`${name} ${place}`)),
    );
    assert.ok(ones && others);
    await Promise.all([write(ones), write(others)]);
    const { values, damaged } = await read();
    assert.equal(damaged, 0);
    assert.ok(
      [namesOf(ones), namesOf(others)].some((names) => names.join() === namesOf(values).join()),
    );
    assert.deepEqual(await readdir(folder), ["answers"]);
  });

  it("stays as it was where it cannot be written", async () => {
    await write([filed("one")]);
    function* failing() {
      yield* Array.from({ length: 3000 }, (_, place) => filed(`${place}`));
      throw new Error("no further");
    }
    await assert.rejects(write(failing()), /no further/);
    await assert.rejects(write([filed("two")], AbortSignal.abort()), { name: "AbortError" });
    assert.deepEqual(namesOf((await read()).values), namesOf([filed("one")]));
    assert.deepEqual(await readdir(folder), ["answers"]);
  });

  it("is not written where its folder is missing, or in the place of what is no file", async () => {
    file = join(folder, "missing", "answers");
    await assert.rejects(write([filed("one")]), { code: "ENOENT" });
    file = "/dev/null";
    await assert.rejects(write([filed("one")]), CacheFileError);
    assert.ok((await stat(file)).isCharacterDevice());
    file = folder;
    await assert.rejects(write([filed("one")]), CacheFileError);
  });

  it("has no value that would make a line too long to be read", async () => {
    const endless = { ...bytesCodec, encode: () => new Uint8Array(2 ** 20) };
    assert.equal(await writeCacheFile(file, [filed("one")], endless, SAVED_MS, NEVER), 0);
    assert.deepEqual(await read(), { values: [], damaged: 0 });
  });

  describe("is read in part", () => {
    const [one, two, three] = [filed("one"), filed("two"), filed("three")];
    beforeEach(() => write([one, two, three]));
    const leaves = async (values: readonly Bytes[], damaged: number) =>
      assert.deepEqual(await read(), { values, damaged });

    it("where it is cut off", async () => {
      const { size } = await stat(file);
      await truncate(file, size - 20);
      await leaves([one, two], 1);
    });

    it("where bits of a line have changed, wherever in it", async () => {
      const [, , line = ""] = await lines();
      for (let place = 0; place < line.length; place++) {
        const flipped = String.fromCharCode(line.charCodeAt(place) ^ 1);
        if (flipped === "\n") continue;
        const damaged = line.slice(0, place) + flipped + line.slice(place + 1);
        await change((all) => {
          all[2] = damaged;
        });
        await leaves([one, three], 1);
      }
    });

    it("where a value stands under the key of another", async () => {
      await change((all) => {
        const [first = "", second = ""] = all.slice(1).map((line) => line.split(" "));
        all[1] = [...first.slice(0, 5), ...second.slice(5)].join(" ");
      });
      await leaves([two, three], 1);
    });

    it("where lines are foreign, empty, or without end", async () => {
      await change((all) => {
        all.splice(2, 0, "", "\u0000\u0001\u00ff", "x".repeat(3 * 2 ** 20));
      });
      await leaves([one, two, three], 3);
    });

    it("where values are not of this version", async () => {
      const none = { ...bytesCodec, decode: () => undefined };
      const reading = {
        nowMs: SAVED_MS,
        maxAgeMs: HOUR_MS,
        take: () => assert.fail(),
        turn: () => undefined,
      };
      assert.equal(await readCacheFile(file, { codec: none, ...reading }), 3);
    });
  });

  describe("is not read at all", () => {
    beforeEach(() => write([filed("one")]));

    it("where it is older than asked for, or from the future", async () => {
      assert.equal((await read({ nowMs: SAVED_MS + HOUR_MS })).values.length, 1);
      await refuses(/too old/, { nowMs: SAVED_MS + HOUR_MS + 1 });
      await refuses(/future/, { nowMs: SAVED_MS - 1 });
    });

    it("where it is of another format, also with a checksum that fits", async () => {
      const head = `sentiment-cache 2 ${SAVED_MS}`;
      const check = hash("sha256", head, "base64url").slice(0, 8);
      await change((all) => {
        all[0] = `${head} ${check}`;
      });
      await refuses(/format 1/);
    });

    for (const [what, bytes] of [
      ["empty", Buffer.alloc(0)],
      ["foreign", Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0a, 0x0d, 0x0a, 0x00])],
      ["of zeros", Buffer.alloc(100_000)],
    ] as const) {
      it(`where it is ${what}`, async () => {
        await writeFile(file, bytes);
        await refuses(/format 1/);
      });
    }

    it("where its time has changed", async () => {
      await change((all) => {
        all[0] = all[0]?.replace("18", "17") ?? "";
      });
      await refuses(/format 1/);
    });

    it("where it is larger than any that is written", async () => {
      await truncate(file, 256 * 2 ** 20 + 1);
      await refuses(/over 268435456 bytes/);
    });

    it("where it is no file, or none is there", async () => {
      await rm(file);
      await assert.rejects(read(), { code: "ENOENT" });
      await mkdir(file);
      await refuses(/no file/);
      file = "/dev/zero";
      await refuses(/no file/);
    });

    it("beyond what its reader can take", async () => {
      const stop = () => {
        throw new Error("enough");
      };
      await assert.rejects(read({ turn: stop }), /enough/);
    });
  });
});
