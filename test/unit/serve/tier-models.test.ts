import assert from "node:assert/strict";
import { appendFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { keyOf } from "../../../server/backend/backend.js";
import { readModel } from "../../../server/backend/repository/model-repository.js";
import { classify } from "../../../server/classify/classifier.js";
import type { ServedModel } from "../../../server/classify/model.js";
import { ReadingThreads } from "../../../server/classify/reading-threads.js";
import { ServiceError } from "../../../server/core/errors.js";
import { shareOf } from "../../../server/core/share.js";
import { TierModels } from "../../../server/serve/tier-models.js";
import { FakeClock } from "../../support/fake-clock.js";
import { until } from "../../support/held-backend.js";
import { NO_EVENTS } from "../../support/no-events.js";
import { turn } from "../../support/recorder.js";
import { type ScriptedBackend, scriptedBackend } from "../../support/scripted-backend.js";
import { sentences } from "../../support/sentences.js";
import { someCall } from "../../support/some-call.js";
import { PLAIN } from "../classify/fake-model.js";
import { resultOf } from "../outcomes.js";
import { SETTINGS } from "./some-served.js";

const FAST = "triton-model-repo/sentiment_fast";
const TEXTS = sentences(2000);
const LONG = "A fine day, and nobody minds. ".repeat(100);

describe("TierModels", function () {
  this.timeout(10_000);
  let folder: string;
  let clock: FakeClock;
  let backend: ScriptedBackend;
  let events: string[];
  let models: TierModels;
  const model = (...path: readonly string[]) => join(folder, "sentiment_fast", ...path);
  /** What config.pbtxt says beside the usual. */
  const configure = async (parameters: Readonly<Record<string, number>> = {}) => {
    const config = (await readFile(`${FAST}/config.pbtxt`, "utf8")).replace(
      /^parameters .*\n/gm,
      "",
    );
    const lines = Object.entries({ max_length: 128, temperature: 1, ...parameters }).map(
      ([key, value]) => `parameters { key: "${key}" value: { string_value: "${value}" } }\n`,
    );
    await writeFile(model("config.pbtxt"), config + lines.join(""));
  };
  const addVersion = async (version: number, content = `version ${version}`) => {
    await mkdir(model(`${version}`), { recursive: true });
    await writeFile(model(`${version}`, "model.onnx"), content);
  };
  const make = (readers?: ReadingThreads) => {
    const options = {
      repository: folder,
      batching: SETTINGS,
      loadsAhead: true,
      readers,
      memory: undefined,
      resident: { atMost: () => 0, exactly: async () => 0 },
      trimCaches: () => {},
    };
    return new TierModels(backend, options, clock, {
      loaded: ({ version }) => events.push(`loaded ${version[0]}`),
      unloaded: ({ version }, cause) => events.push(`unloaded ${version[0]} ${cause}`),
      routed: ({ version }) => events.push(`routed ${version[0]}`),
      compared: (_candidate, outcome) => events.push(outcome),
      disagrees: () => events.push("disagrees"),
      of: () => NO_EVENTS,
    });
  };
  const start = async (parameters: Readonly<Record<string, number>> = {}) => {
    await configure(parameters);
    await models.add(await readModel(folder, "fast"));
  };
  const readyAll = () => Promise.all(models.versions().map((version) => version.ready()));
  const lease = (text: string) => models.lease("fast", text) ?? assert.fail("not served");
  /** The version that the text's call goes to. */
  const versionFor = (text: string) => {
    using leased = lease(text);
    return Number(leased.model.version.split("+")[0]);
  };
  const answer = async (text: string) => {
    using leased = lease(text);
    const outcomes = await classify(leased.model, [text], PLAIN, someCall(), clock);
    leased.compare([text], PLAIN, outcomes, someCall());
  };
  const share = (which: (text: string) => boolean) => TEXTS.filter(which).length / TEXTS.length;
  const near = (one: number, other: number) => Math.abs(one - other) < 0.05;
  const settle = async () => {
    for (let n = 0; n < 20; n++) await turn();
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "sentiment-tier-models-"));
  });
  after(() => rm(folder, { recursive: true }));
  beforeEach(async () => {
    await rm(model(), { recursive: true, force: true });
    await mkdir(model(), { recursive: true });
    for (const name of ["labels.txt", "tokenizer.json"]) await cp(`${FAST}/${name}`, model(name));
    await addVersion(1);
    clock = new FakeClock();
    backend = scriptedBackend();
    events = [];
    models = make();
  });
  afterEach(() => models[Symbol.dispose]());

  it("refuses a tokenizer whose special tokens leave no room for a text", async () => {
    const tokenizer = JSON.parse(await readFile(model("tokenizer.json"), "utf8"));
    const [cls] = tokenizer.post_processor.single;
    tokenizer.post_processor.single.unshift(cls);
    await writeFile(model("tokenizer.json"), JSON.stringify(tokenizer));
    await assert.rejects(start({ max_length: 3 }), {
      name: "StartupError",
      message: /tokenizer.json puts so many special tokens .* max_length 3 /,
    });
    await start({ max_length: 4 });
  });

  it("refuses a tokenizer that is not the one that was hashed", async () => {
    await configure({});
    const files = await readModel(folder, "fast");
    await appendFile(model("tokenizer.json"), " ");
    await assert.rejects(models.add(files), {
      name: "StartupError",
      message: /tokenizer.json has changed since it was hashed: load the model again/,
    });
  });

  it("serves what it was given, and loads it at the first call", async () => {
    await start();
    assert.equal(models.lease("accurate", ""), undefined);
    assert.deepEqual([backend.asked, models.list()[0]?.version[0]], [[], "1"]);
    await answer("fine");
    assert.deepEqual(backend.asked, ["load 1", "infer 1"]);
    assert.deepEqual(events, ["loaded 1"]);
    assert.deepEqual(models.backends(), [{ backend: "scripted", up: true }]);
  });

  describe("with a candidate", () => {
    beforeEach(() => addVersion(2));

    it("sends it its share of the texts, always the same ones", async () => {
      await start({ candidate_version: 2, canary_share: 0.2 });
      await readyAll();
      assert.ok(
        near(
          share((text) => versionFor(text) === 2),
          0.2,
        ),
      );
      for (const text of TEXTS.slice(0, 50))
        assert.equal(versionFor(text), shareOf(text) < 0.2 ? 2 : 1);
      assert.equal(events.filter((event) => event.startsWith("routed")).length, TEXTS.length + 50);
      assert.equal(models.list().length, 1);
    });

    it("sends it nothing while it is not ready, but sees to it that it will be", async () => {
      await start({ candidate_version: 2, canary_share: 1 });
      assert.equal(versionFor("a"), 1);
      await until(() => events.includes("loaded 2"));
      assert.equal(versionFor("a"), 2);
      await models.unload("fast");
      assert.equal(versionFor("a"), 1);
      await until(() => events.filter((event) => event === "loaded 2").length === 2);
      assert.equal(versionFor("a"), 2);
      backend.up = false;
      assert.equal(versionFor("a"), 1);
    });

    it("answers by what is served where the candidate cannot be loaded", async () => {
      await start({ candidate_version: 2, canary_share: 1 });
      backend.onLoad = async ({ version }) => {
        if (version === 2) throw new Error("broken");
      };
      await answer("a");
      await answer("b");
      assert.ok(!backend.asked.includes("infer 2"));
    });

    it("copies the shadow's share of the other calls, and no call of the canary", async () => {
      await start({ candidate_version: 2, canary_share: 0.6, shadow_share: 0.5 });
      await readyAll();
      const copies = { canary: 0, others: 0 };
      for (const text of TEXTS.slice(0, 500)) {
        const before = backend.asked.length;
        const kind = versionFor(text) === 2 ? "canary" : "others";
        await answer(text);
        await settle();
        copies[kind] += backend.asked.length - before - 1;
      }
      assert.equal(copies.canary, 0);
      assert.ok(near(copies.others / 500, 0.4 * 0.5), `${copies.others}`);
      assert.equal(events.filter((event) => event === "agree").length, copies.others);
    });

    it("tells of no calls that went here or there where it answers none", async () => {
      await start({ candidate_version: 2, shadow_share: 1 });
      await readyAll();
      await answer("a");
      await settle();
      assert.deepEqual(events, ["loaded 1", "loaded 2", "agree"]);
    });

    it("does not load it again for the copy of a call that outlasted it", async () => {
      await start({ candidate_version: 2, shadow_share: 1 });
      await readyAll();
      const leased = lease("a");
      const outcomes = await classify(leased.model, ["a"], PLAIN, someCall(), clock);
      await configure();
      await rm(model("2"), { recursive: true });
      await models.load("fast");
      await settle();
      leased.compare(["a"], PLAIN, outcomes, someCall());
      leased[Symbol.dispose]();
      await settle();
      assert.deepEqual(backend.asked, [...["load 1", "load 2", "infer 1", "infer 2"], "unload 2"]);
    });
  });

  describe("load", () => {
    it("lets a new version take over, and unloads the old one after its last call", async () => {
      await start();
      await readyAll();
      const leased = lease("a");
      await addVersion(2);
      assert.equal((await models.load("fast"))?.version[0], "2");
      assert.equal(versionFor("a"), 2);
      await settle();
      assert.deepEqual(backend.asked, ["load 1", "load 2"]);
      await classify(leased.model, ["a"], PLAIN, someCall(), clock);
      leased[Symbol.dispose]();
      await settle();
      assert.deepEqual(backend.asked, ["load 1", "load 2", "infer 1", "unload 1"]);
    });

    it("has long texts read by the tokenizer that came with the version, while both answer", async () => {
      await using readers = new ReadingThreads(1, clock, () => {});
      models = make(readers);
      await start();
      const leased = lease("a");
      const accurate = "triton-model-repo/sentiment_accurate/tokenizer.json";
      await cp(accurate, model("tokenizer.json"));
      await addVersion(2);
      await models.load("fast");
      const idsOf = async (served: ServedModel) => {
        const outcome = await readers.read(served, LONG, PLAIN, someCall());
        return outcome && resultOf(outcome).windows.flatMap(({ ids }) => ids);
      };
      const [after] = models.list();
      assert.ok(after);
      for (const served of [leased.model, after])
        assert.deepEqual(await idsOf(served), served.tokenizer.encode(LONG));
      assert.notDeepEqual(await idsOf(after), await idsOf(leased.model));
      leased[Symbol.dispose]();
      await settle();
      assert.equal(await idsOf(leased.model), undefined);
      assert.deepEqual(await idsOf(after), after.tokenizer.encode(LONG));
    });

    it("does nothing where the folder is what it was", async () => {
      await start();
      await readyAll();
      const [before] = models.versions();
      await models.load("fast");
      await settle();
      assert.equal(models.versions()[0], before);
      assert.deepEqual(backend.asked, ["load 1"]);
    });

    it("makes a candidate what is served without loading it again, and changes shares", async () => {
      await addVersion(2);
      await start({ candidate_version: 2, canary_share: 0.1 });
      await readyAll();
      await configure({ candidate_version: 2, canary_share: 0.5 });
      await models.load("fast");
      assert.ok(
        near(
          share((text) => versionFor(text) === 2),
          0.5,
        ),
      );
      assert.deepEqual(backend.asked, ["load 1", "load 2"]);
      await configure();
      await models.load("fast");
      await settle();
      assert.equal(versionFor("a"), 2);
      assert.deepEqual(backend.asked, ["load 1", "load 2", "unload 1"]);
    });

    it("comes back to a version whose last call is not over, which stays loaded then", async () => {
      await start();
      await readyAll();
      const leased = lease("a");
      await addVersion(2);
      await models.load("fast");
      await rm(model("2"), { recursive: true });
      assert.equal((await models.load("fast"))?.version[0], "1");
      leased[Symbol.dispose]();
      await settle();
      assert.deepEqual(backend.asked, ["load 1", "load 2", "load 1", "unload 2"]);
      await models.unload("fast");
      assert.equal(backend.asked.at(-1), "unload 1");
    });

    it("takes on new settings of the same file, which stays loaded", async () => {
      await start();
      await readyAll();
      await configure({ temperature: 2 });
      assert.equal((await models.load("fast"))?.temperature, 2);
      await settle();
      assert.ok(!backend.asked.includes("unload 1"));
      assert.equal(models.versions()[0]?.model.isReady(), true);
    });

    it("takes on a new file of the same version", async () => {
      await start();
      await readyAll();
      const before = models.versions()[0];
      await addVersion(1, "another");
      await models.load("fast");
      await settle();
      const after = models.versions()[0];
      assert.notEqual(before && keyOf(before.id), after && keyOf(after.id));
      assert.deepEqual(backend.asked, ["load 1", "load 1", "unload 1"]);
    });

    it("keeps what was served where the new one cannot be loaded, and leaves nothing of it", async () => {
      await start();
      await readyAll();
      await addVersion(2);
      backend.onLoad = () =>
        Promise.reject(new ServiceError("BACKEND_DOWN", "its logits are five"));
      await assert.rejects(models.load("fast"), /its logits are five/);
      assert.equal(versionFor("a"), 1);
      assert.deepEqual(backend.asked, ["load 1", "load 2", "unload 2"]);
      backend.onLoad = async () => {};
      await models.load("fast");
      assert.equal(versionFor("a"), 2);
    });

    it("keeps what was served where its candidate cannot be loaded", async () => {
      await start();
      await readyAll();
      await addVersion(2);
      await addVersion(3);
      await configure({ candidate_version: 3, canary_share: 1 });
      backend.onLoad = async ({ version }) => {
        if (version === 3) throw new Error("broken");
      };
      await assert.rejects(models.load("fast"), /broken/);
      assert.equal(versionFor("a"), 1);
      assert.deepEqual(backend.asked.toSorted(), [
        ...["load 1", "load 2", "load 3"],
        ...["unload 2", "unload 3"],
      ]);
    });

    it("refuses a folder with a fault, and goes on", async () => {
      await start();
      await writeFile(model("labels.txt"), "good\nbad\n");
      await assert.rejects(models.load("fast"), /must hold negative, neutral, positive/);
      await rm(model("labels.txt"));
      await cp(`${FAST}/labels.txt`, model("labels.txt"));
      assert.equal((await models.load("fast"))?.version[0], "1");
    });

    it("comes one after the other, and knows no tier that is not served", async () => {
      await start();
      await addVersion(2);
      const [one, other] = await Promise.all([models.load("fast"), models.load("fast")]);
      assert.equal(one, other);
      assert.deepEqual(backend.asked, ["load 2"]);
      assert.equal(await models.load("accurate"), undefined);
      assert.equal(await models.unload("accurate"), undefined);
    });
  });

  describe("unload", () => {
    it("does not wait for calls that come meanwhile, nor does what is loaded next", async () => {
      await start();
      await readyAll();
      const calls = [lease("a")];
      const unloaded = models.unload("fast");
      const loaded = models.load("fast");
      await settle();
      calls.push(lease("b"));
      calls[0]?.[Symbol.dispose]();
      assert.equal((await unloaded)?.canServe(), true);
      await loaded;
      assert.deepEqual([backend.asked, events], [["load 1"], ["loaded 1"]]);
    });

    it("unloads served and candidate, and tells of each that was loaded", async () => {
      await addVersion(2);
      await start({ candidate_version: 2, canary_share: 0.5 });
      await models.unload("fast");
      assert.deepEqual([backend.asked, events], [[], []]);
      await readyAll();
      assert.equal((await models.unload("fast"))?.canServe(), true);
      assert.deepEqual(events.slice(2), ["unloaded 1 admin", "unloaded 2 admin"]);
      await answer("a");
      assert.equal(backend.asked.filter((what) => what === "load 1").length, 2);
    });
  });
});
