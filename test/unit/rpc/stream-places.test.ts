import assert from "node:assert/strict";
import type { CallContext, ServerMiddlewareCall } from "nice-grpc-common";
import type { CallExt } from "../../../server/rpc/call-context.js";
import { StreamPlaces } from "../../../server/rpc/stream-places.js";
import { callFrom } from "../../support/some-call.js";
import { serviceError } from "../outcomes.js";

describe("StreamPlaces", () => {
  const refused = serviceError(
    "OVERLOADED",
    "Most streams are open, and this key has its part of them: end some, try again later, or send the texts by AnalyzeBatch.",
    { retryAfterMs: 1000 },
  );

  let refusals: number;
  const placesOf = (maxStreams: number) => new StreamPlaces(maxStreams, () => refusals++);
  beforeEach(() => {
    refusals = 0;
  });

  it("keeps the last tenth for keys that have less than an even part", () => {
    const places = placesOf(20);
    const taken = Array.from({ length: 18 }, () => places.take("greedy"));
    assert.throws(() => places.take("greedy"), refused);
    const modest = [places.take("modest"), places.take("modest")];
    taken[0]?.[Symbol.dispose]();
    assert.throws(() => places.take("greedy"), refused);
    assert.equal(refusals, 2);
    for (const place of modest) place?.[Symbol.dispose]();
    assert.ok(places.take("greedy"));
  });

  it("are held by a call as long as it lasts", async () => {
    const places = placesOf(20);
    const { promise: end, resolve } = Promise.withResolvers<void>();
    const call = {
      async *next() {
        await end;
        yield "answer";
      },
    } as unknown as ServerMiddlewareCall<string, string, CallExt>;
    const by = (holder: string) => {
      const context = { call: callFrom({ holder }) } as CallContext & CallExt;
      return places.during(call, context).next();
    };
    const greedy = Array.from({ length: 18 }, () => by("greedy"));
    await assert.rejects(by("greedy"), refused);
    const modest = by("modest");
    resolve();
    for (const { value } of await Promise.all([...greedy, modest])) assert.equal(value, "answer");
  });

  it("takes no notice of callers without a key", () => {
    const places = placesOf(1);
    for (let stream = 0; stream < 10; stream++) assert.equal(places.take(undefined), undefined);
  });
});
