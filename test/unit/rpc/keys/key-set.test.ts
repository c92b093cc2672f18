import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { errors } from "jose";
import { fileKeySet, type KeySet, remoteKeySet } from "../../../../server/rpc/keys/key-set.js";
import { FakeClock } from "../../../support/fake-clock.js";
import { until } from "../../../support/held-backend.js";
import {
  type KeySetServer,
  keySetServer,
  type SigningKey,
  signingKey,
} from "../../../support/issuer.js";
import { type KeyFolder, keyFolder } from "../../../support/key-folder.js";
import { recorder } from "../../../support/recorder.js";

const SECOND = 1000;

/** Whether the set has the key, by what a token's header names. */
async function has({ keyFor }: KeySet, { jwk }: SigningKey): Promise<boolean> {
  const { alg = "", kid = "" } = jwk;
  try {
    await keyFor({ alg, kid }, { payload: "", signature: "" });
    return true;
  } catch (error) {
    assert.ok(error instanceof errors.JWKSNoMatchingKey, String(error));
    return false;
  }
}

describe("a key set", () => {
  let clock: FakeClock;
  let one: SigningKey;
  let two: SigningKey;
  before(async () => {
    [one, two] = await Promise.all([signingKey("one"), signingKey("two")]);
  });
  beforeEach(() => {
    clock = new FakeClock();
  });
  const reports = () => {
    const [reread, rereadings] = recorder((_keys: number) => {});
    const [broken, faults] = recorder((_error: unknown) => {});
    return { report: { reread, broken }, rereadings, faults };
  };

  describe("of a file", () => {
    let folder: KeyFolder;
    beforeEach(async () => {
      folder = await keyFolder();
    });
    afterEach(() => folder[Symbol.asyncDispose]());
    const write = (...keys: readonly SigningKey[]) =>
      writeFile(folder.file, JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }));

    it("is read again when it changes, and stays as it was when that cannot be used", async () => {
      await write(one);
      const { report, rereadings, faults } = reports();
      using set = await fileKeySet(folder.file, clock, report);
      const look = async () => {
        clock.advance(SECOND);
        await until(() => clock.pending === 1);
      };
      assert.ok(await has(set, one));
      await write(two, one);
      await look();
      assert.ok((await has(set, one)) && (await has(set, two)));
      await writeFile(folder.file, "{");
      await look();
      assert.ok(await has(set, two));
      assert.match(String(faults[0]?.[0]), /it is not JSON/);
      await write(two);
      await look();
      assert.equal(await has(set, one), false);
      assert.deepEqual(rereadings, [[2], [1]]);
    });

    it("must be one from the start", async () => {
      const open = () => fileKeySet(folder.file, clock, reports().report);
      const name = "StartupError";
      await assert.rejects(open(), { name, message: /JWT_JWKS: .*keys\.json cannot be used/ });
      for (const text of ["", '{"keys": [s3cret]}', "[]", "{}", '{"keys": [5]}']) {
        await writeFile(folder.file, text);
        await assert.rejects(open(), (error: Error) => {
          assert.match(error.message, /cannot be used .*name a JSON Web Key Set/);
          assert.doesNotMatch(error.message, /s3cret/);
          return error.name === name;
        });
      }
      assert.equal(clock.pending, 0);
    });
  });

  describe("of a URL", () => {
    let server: KeySetServer;
    beforeEach(async () => {
      server = await keySetServer(one.jwk);
    });
    afterEach(() => server[Symbol.asyncDispose]());
    const open = async () => {
      const told = reports();
      return { ...told, set: await remoteKeySet(new URL(server.url), clock, told.report) };
    };
    /** The fetch that the clock sets off is done. */
    const passed = async (ms: number) => {
      const { asked } = server;
      clock.advance(ms);
      await until(() => server.asked === asked + 1 && clock.pending === 1);
    };

    it("is asked once for the keys that it has", async () => {
      const { set } = await open();
      using _closed = set;
      for (let call = 0; call < 5; call++) assert.ok(await has(set, one));
      assert.equal(server.asked, 1);
    });

    it("is asked again for a key that it has not, once in 30 seconds", async () => {
      const { set, rereadings } = await open();
      using _closed = set;
      server.keys = [one.jwk, two.jwk];
      assert.equal(await has(set, two), false);
      assert.equal(server.asked, 1);
      clock.advance(30 * SECOND);
      assert.deepEqual(await Promise.all([has(set, two), has(set, two), has(set, one)]), [
        true,
        true,
        true,
      ]);
      assert.equal(server.asked, 2);
      assert.deepEqual(rereadings, [[2]]);
      const stranger = await signingKey("three");
      for (let call = 0; call < 5; call++) assert.equal(await has(set, stranger), false);
      clock.advance(30 * SECOND);
      for (let call = 0; call < 5; call++) assert.equal(await has(set, stranger), false);
      assert.equal(server.asked, 3);
    });

    it("is fetched every five minutes, so that a key taken out of it is refused", async () => {
      const { set, rereadings } = await open();
      using _closed = set;
      await passed(300 * SECOND);
      assert.deepEqual(rereadings, []);
      server.keys = [two.jwk];
      await passed(300 * SECOND);
      assert.equal(await has(set, one), false);
      assert.ok(await has(set, two));
      assert.deepEqual(rereadings, [[1]]);
    });

    it("keeps its keys while the server fails, and asks it no more often for that", async () => {
      const { set, faults, rereadings } = await open();
      using _closed = set;
      server.status = 500;
      server.keys = [two.jwk];
      await passed(300 * SECOND);
      assert.equal(faults.length, 1);
      assert.ok(await has(set, one));
      clock.advance(30 * SECOND);
      for (let call = 0; call < 5; call++) assert.equal(await has(set, two), false);
      assert.deepEqual([server.asked, faults.length], [3, 2]);
      server.status = 200;
      await passed(270 * SECOND);
      assert.ok(await has(set, two));
      assert.deepEqual(rereadings, [[1]]);
    });

    it("is asked no more once it is disposed", async () => {
      const { set } = await open();
      set[Symbol.dispose]();
      assert.equal(clock.pending, 0);
    });

    it("must be there from the start, and be one; nothing after a ? is told", async () => {
      const refused = async (url: string, why: RegExp) => {
        const opening = remoteKeySet(new URL(url), clock, reports().report);
        await assert.rejects(opening, (error: Error) => {
          assert.match(error.message, /^JWT_JWKS: http:.* cannot be used/);
          assert.match(error.message, why);
          assert.doesNotMatch(error.message, /s3cret/);
          return error.name === "StartupError";
        });
        assert.equal(clock.pending, 0);
      };
      server.status = 302;
      await refused(`${server.url}?s3cret`, /200 OK/);
      server.status = 200;
      server.keys = "none" as never;
      await refused(server.url, /malformed/);
      const gone = await keySetServer();
      await gone[Symbol.asyncDispose]();
      await refused(`${gone.url}?s3cret`, /ECONNREFUSED/);
    });
  });
});
