import assert from "node:assert/strict";
import type { Backend, ModelVersion } from "../../server/backend/backend.js";
import { embeddedBackend } from "../../server/backend/embedded/embedded-backend.js";
import { padded } from "../../server/backend/padding.js";
import { systemClock } from "../../server/core/clock.js";
import { ANYTIME, modelVersion } from "../support/model-version.js";

const SHORT = () => padded([[101, 2023, 102]], 0);
/** Takes far longer than the shortest that a thread has a second batch behind. */
const LONG = () => padded(Array<number[]>(2).fill(Array<number>(128).fill(5)), 1);
const LONGS = 4;

describe("an inference thread that two models share", function () {
  this.timeout(60_000);
  let backend: Backend;
  let fast: ModelVersion;
  let accurate: ModelVersion;

  before(async () => {
    [fast, accurate] = [await modelVersion("fast"), await modelVersion("accurate")];
    const options = { workers: 1, intraOpThreads: 1, gpu: false };
    backend = embeddedBackend(options, systemClock, () => {});
    for (const model of [fast, accurate]) await backend.load(model);
    // What they take is learned by that.
    for (let n = 0; n < 2; n++) await backend.infer(accurate, LONG(), ANYTIME);
    for (let n = 0; n < 3; n++) await backend.infer(fast, SHORT(), ANYTIME);
  });
  after(() => backend[Symbol.asyncDispose]());

  it("has a short batch of one wait for one long batch of the other at most", async () => {
    const ended: string[] = [];
    const run = async (model: ModelVersion, batch: ReturnType<typeof padded>) => {
      await backend.infer(model, batch, ANYTIME);
      ended.push(model.name);
    };
    const long = Array.from({ length: 4 }, () => run(accurate, LONG()));
    const short = Array.from({ length: 3 }, () => run(fast, SHORT()));
    await Promise.all([...long, ...short]);
    assert.deepEqual(ended.slice(0, 4), [accurate.name, fast.name, fast.name, fast.name]);
  });

  it("works as long for one as for the other, though each asks for the next batch only when one is answered", async () => {
    let isOver = false;
    let shortMs = 0;
    const short = async () => {
      while (!isOver) {
        const { ranMs = 0 } = await backend.infer(fast, SHORT(), ANYTIME);
        shortMs += ranMs;
      }
    };
    // Two of the short ones wait at any time, and one long one.
    const shorts = [short(), short()];
    let longMs = 0;
    for (let n = 0; n < LONGS; n++) {
      const { ranMs = 0 } = await backend.infer(accurate, LONG(), ANYTIME);
      longMs += ranMs;
    }
    isOver = true;
    await Promise.all(shorts);
    const share = shortMs / (shortMs + longMs);
    assert.ok(share > 0.3 && share < 0.7, `${shortMs} ms and ${longMs} ms`);
  });
});
