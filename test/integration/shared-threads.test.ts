import assert from "node:assert/strict";
import type { Backend, ModelVersion } from "../../server/backend/backend.js";
import { embeddedBackend } from "../../server/backend/embedded/embedded-backend.js";
import { padded } from "../../server/backend/padding.js";
import { systemClock } from "../../server/core/clock.js";
import { ANYTIME, modelVersion } from "../support/model-version.js";

const SHORT = padded([[101, 2023, 102]], 0);
/** Takes far longer than the shortest that a thread has a second batch behind. */
const LONG = () => padded(Array<number[]>(8).fill(Array<number>(128).fill(5)), 1);

describe("inference threads that several models share", function () {
  this.timeout(60_000);
  let backend: Backend;
  let fast: ModelVersion;
  let accurate: ModelVersion;

  before(async () => {
    [fast, accurate] = [await modelVersion("fast"), await modelVersion("accurate")];
    const options = { workers: 2, intraOpThreads: 1, gpu: false };
    backend = embeddedBackend(options, systemClock, () => {});
    for (const model of [fast, accurate]) await backend.load(model);
    // What they take is learned by that.
    for (let n = 0; n < 2; n++) await backend.infer(accurate, LONG(), ANYTIME);
    for (let n = 0; n < 3; n++) await backend.infer(fast, { ...SHORT }, ANYTIME);
  });
  after(() => backend[Symbol.asyncDispose]());

  it("let a short batch of one wait for one long batch of the other at most", async () => {
    const ended: string[] = [];
    const run = async (model: ModelVersion, batch: ReturnType<typeof padded>) => {
      await backend.infer(model, batch, ANYTIME);
      ended.push(model.name);
    };
    const long = Array.from({ length: 6 }, () => run(accurate, LONG()));
    const short = Array.from({ length: 3 }, () => run(fast, padded([[101, 2023, 102]], 0)));
    await Promise.all([...long, ...short]);
    // One thread's long batch, or both's; the thread that is done first has all the short ones.
    assert.ok(ended.lastIndexOf(fast.name) <= 4, `${ended}`);
  });
});
