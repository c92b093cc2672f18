import assert from "node:assert/strict";
import { type Call, currentCall, wholeOf } from "../../../server/core/call.js";
import type { Span, Tracer } from "../../../server/core/trace.js";
import { inOwnTrace } from "../../../server/rpc/own-trace.js";

const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

describe("the trace of a stream's text", () => {
  let begun: { span: Span; links: readonly Span[] | undefined }[];
  let ended: Span[];
  let tracer: Tracer;
  beforeEach(() => {
    [begun, ended] = [[], []];
    tracer = {
      begin(_name, parent, _state, links) {
        assert.equal(parent, undefined);
        const span = spanOf(() => ended.push(span));
        begun.push({ span, links });
        return span;
      },
    };
  });

  const spanOf = (end: () => void): Span => ({
    traceparent: TRACEPARENT,
    traceId: TRACEPARENT.slice(3, 35),
    step: () => assert.fail("no step is taken"),
    set() {},
    failed() {},
    end,
  });
  const callsIn = (call: Call | undefined, by: Tracer | undefined) =>
    currentCall.run(call as Call, () => inOwnTrace(by, async () => currentCall.getStore()));

  it("is its own, linked to the stream's, and its work is a part of the stream's call", async () => {
    const stream: Call = {
      deadlineMs: 5,
      traceparent: TRACEPARENT,
      holder: "team-a",
      span: spanOf(() => assert.fail("the stream goes on")),
    };
    const [one, other] = [await callsIn(stream, tracer), await callsIn(stream, tracer)];
    assert.deepEqual([one?.span, other?.span], ended);
    assert.notEqual(one?.span, other?.span);
    assert.deepEqual(begun[0], { span: one?.span, links: [stream.span] });
    assert.deepEqual([one?.deadlineMs, one?.holder], [5, "team-a"]);
    // Admission must not take one text of a stream for a queue that another one is behind.
    assert.equal(wholeOf(one), stream);
    assert.equal(wholeOf(other), stream);
  });

  it("is none where there is no tracer, or the client has left the stream out", async () => {
    const untraced: Call = { deadlineMs: 5, traceparent: TRACEPARENT.replace(/01$/, "00") };
    assert.equal(await callsIn(untraced, tracer), untraced);
    assert.equal(await callsIn(untraced, undefined), untraced);
    assert.deepEqual(begun, []);
  });

  it("is begun outside of any call as well", async () => {
    const own = await callsIn(undefined, tracer);
    assert.equal(own?.span, ended[0]);
    assert.equal(own?.deadlineMs, Number.POSITIVE_INFINITY);
  });

  it("is ended by work that fails", async () => {
    const fails = () => Promise.reject(new Error("down"));
    await assert.rejects(inOwnTrace(tracer, fails), /down/);
    assert.equal(ended.length, 1);
  });
});
