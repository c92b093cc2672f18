import assert from "node:assert/strict";
import { ServiceError } from "../../../server/core/errors.js";
import type { Duration } from "../../../server/gen/google/protobuf/duration.js";
import { ProfileKind } from "../../../server/gen/sentiment/v1/sentiment.js";
import { captureProfile, type Profiler } from "../../../server/rpc/capture-profile.js";
import { recorder } from "../../support/recorder.js";

const {
  PROFILE_KIND_UNSPECIFIED: UNSET,
  PROFILE_KIND_CPU: CPU,
  PROFILE_KIND_HEAP: HEAP,
  PROFILE_KIND_ALLOCATION: ALLOCATION,
} = ProfileKind;
const { signal } = new AbortController();

describe("CaptureProfile", () => {
  const [capture, asked] = recorder<
    Parameters<Profiler["capture"]>,
    ReturnType<Profiler["capture"]>
  >(async () => ({ path: "/profiles/one", bytes: 7 }));
  const ask = (kind: ProfileKind, duration?: Duration) =>
    captureProfile({ capture })({ kind, duration }, { signal });
  const faultOf = (kind: ProfileKind, duration?: Duration) =>
    ask(kind, duration).then(
      () => assert.fail("it was recorded"),
      (error: unknown) => {
        assert.ok(error instanceof ServiceError, String(error));
        return [error.reason, error.message, error.hints.field];
      },
    );

  it("records CPU time for ten seconds unless something else is asked for", async () => {
    assert.deepEqual(await ask(UNSET), { path: "/profiles/one", sizeBytes: 7 });
    assert.deepEqual(asked.at(-1), ["cpu", 10_000, signal]);
    await ask(CPU, { seconds: 1, nanos: 500_000_000 });
    assert.deepEqual(asked.at(-1), ["cpu", 1500, signal]);
    await ask(ALLOCATION, { seconds: 60, nanos: 0 });
    assert.deepEqual(asked.at(-1), ["allocation", 60_000, signal]);
  });

  it("takes a heap as it is now, whatever the duration", async () => {
    await ask(HEAP, { seconds: 600, nanos: 0 });
    assert.deepEqual(asked.at(-1), ["heap", 0, signal]);
  });

  for (const duration of [
    { seconds: 0, nanos: 0 },
    { seconds: 0, nanos: 999_999_999 },
    { seconds: -5, nanos: 0 },
    { seconds: 60, nanos: 1_000_000 },
    { seconds: Number.NaN, nanos: 0 },
  ]) {
    it(`refuses ${JSON.stringify(duration)}`, async () => {
      const message = "duration: must be 1 to 60 seconds.";
      for (const kind of [CPU, ALLOCATION])
        assert.deepEqual(await faultOf(kind, duration), ["OPTION_UNKNOWN", message, "duration"]);
    });
  }

  it("refuses a kind that is none", async () => {
    const message = "kind: name CPU, HEAP or ALLOCATION.";
    assert.deepEqual(await faultOf(9 as ProfileKind), ["OPTION_UNKNOWN", message, "kind"]);
  });
});
