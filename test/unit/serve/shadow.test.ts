import assert from "node:assert/strict";
import type { Verdict } from "../../../server/classify/classifier.js";
import { ServiceError } from "../../../server/core/errors.js";
import type { Label } from "../../../server/core/tiers.js";
import type { ServedVersion } from "../../../server/serve/served-version.js";
import { Shadow } from "../../../server/serve/shadow.js";
import { FakeClock } from "../../support/fake-clock.js";
import { turn } from "../../support/recorder.js";
import { neutral, type ScriptedBackend, scriptedBackend } from "../../support/scripted-backend.js";
import { someCall } from "../../support/some-call.js";
import { PLAIN } from "../classify/fake-model.js";
import { someServed } from "./some-served.js";

const answered = (label: Label, score = 0): PromiseSettledResult<Verdict> => ({
  status: "fulfilled",
  value: { label, score } as Verdict,
});
const failed: PromiseSettledResult<Verdict> = { status: "rejected", reason: new Error("too long") };

describe("Shadow", () => {
  let clock: FakeClock;
  let backend: ScriptedBackend;
  let candidate: ServedVersion;
  let reports: { outcome: string; distance: number | undefined }[];
  let warnings: number[][];
  let shadow: Shadow;
  const outcomes = () => reports.map(({ outcome }) => outcome);
  const compare = (...served: readonly PromiseSettledResult<Verdict>[]) =>
    shadow.compare(
      served.map((_, place) => `${place + 1}`),
      PLAIN,
      served,
      someCall(),
    );
  const settle = async () => {
    for (let n = 0; n < 10; n++) await turn();
  };

  beforeEach(() => {
    clock = new FakeClock();
    backend = scriptedBackend();
    candidate = someServed(2, { backend, clock });
    [reports, warnings] = [[], []];
    shadow = new Shadow(
      candidate,
      0.5,
      clock,
      (outcome, distance) => reports.push({ outcome, distance }),
      (...counts) => warnings.push(counts),
    );
  });

  it("reports text by text whether the candidate agrees, and how far its score is", async () => {
    compare(answered("neutral", 0.25), answered("positive", 1));
    assert.deepEqual(reports, [], "nobody waits for it");
    await settle();
    assert.deepEqual(reports, [
      { outcome: "agree", distance: 0.25 },
      { outcome: "flip", distance: 1 },
    ]);
  });

  it("has nothing to say of a text that was not answered", async () => {
    compare(failed, answered("neutral"));
    await settle();
    assert.deepEqual(outcomes(), ["agree"]);
  });

  it("reports what the candidate could not answer as failed", async () => {
    backend.onInfer = () => Promise.reject(new ServiceError("BACKEND_DOWN", "gone"));
    compare(answered("neutral"), answered("neutral"));
    await settle();
    backend.onLoad = () => Promise.reject(new Error("broken"));
    await candidate.unload();
    compare(answered("neutral"));
    await settle();
    assert.deepEqual(outcomes(), ["failed", "failed", "failed"]);
  });

  it("asks for no more than two calls at once, and skips the others", async () => {
    const held = Promise.withResolvers<void>();
    backend.onInfer = async (_model, batch) => {
      await held.promise;
      return neutral(batch);
    };
    for (let n = 0; n < 3; n++) compare(answered("neutral"), answered("neutral"));
    assert.deepEqual(outcomes(), ["skipped", "skipped"]);
    held.resolve();
    await settle();
    assert.deepEqual(outcomes().slice(2), Array(4).fill("agree"));
    compare(answered("neutral"));
    await settle();
    assert.equal(outcomes().at(-1), "agree");
  });

  it("keeps the candidate loaded until it has answered", async () => {
    const held = Promise.withResolvers<void>();
    backend.onInfer = async (_model, batch) => {
      await held.promise;
      return neutral(batch);
    };
    await candidate.ready();
    compare(answered("neutral"));
    await settle();
    assert.equal(candidate.isInUse, true);
    void candidate.unload();
    await settle();
    assert.ok(!backend.asked.includes("unload 2"));
    held.resolve();
    await settle();
    assert.deepEqual(outcomes(), ["agree"]);
    assert.ok(backend.asked.includes("unload 2"));
  });

  it("gives up after ten seconds, and gives the candidate back", async () => {
    backend.onInfer = () => new Promise(() => {});
    compare(answered("neutral"));
    await settle();
    clock.advance(9999);
    await settle();
    assert.deepEqual(outcomes(), []);
    clock.advance(1);
    await settle();
    assert.deepEqual(outcomes(), ["failed"]);
    assert.equal(candidate.isInUse, false);
    assert.equal(clock.pending, 0);
  });

  it("has a deadline of its own", async () => {
    compare(answered("neutral"));
    await settle();
    assert.equal(backend.batches[0]?.context.deadlineMs, 10_000);
  });

  it("asks for the verdict alone, in the same way", async () => {
    const question = {
      longText: "truncate",
      sentences: true,
      explain: true,
      skipCache: false,
    } as const;
    shadow.compare(["1 2"], question, [answered("neutral")], someCall());
    await settle();
    assert.equal(backend.batches.length, 1);
    assert.equal(backend.batches[0]?.batch.rows, 1);
  });

  it("warns once, when a tenth of at least fifty texts have got another label", async () => {
    const ask = async (label: Label, count: number) => {
      for (let n = 0; n < count; n++) {
        compare(answered(label));
        await settle();
      }
    };
    await ask("positive", 4);
    await ask("neutral", 46);
    assert.deepEqual(warnings, []);
    await ask("positive", 1);
    assert.deepEqual(warnings, [], "5 of 51");
    await ask("positive", 1);
    assert.deepEqual(warnings, [[52, 6]]);
    await ask("positive", 20);
    assert.equal(warnings.length, 1);
  }).timeout(10_000);
});
