import assert from "node:assert/strict";
import { type Call, withSpan } from "../../../server/core/call.js";
import type { Span, Tracer } from "../../../server/core/trace.js";
import { inOwnTrace } from "../../../server/rpc/own-trace.js";
import { callFrom, someCall } from "../../support/some-call.js";

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
  const callIn = (stream: Call, by: Tracer | undefined) =>
    inOwnTrace(by, stream, async (call) => call);

  it("is its own, linked to the stream's, and its work is a part of the stream's call", async () => {
    const stream = someCall({
      deadlineMs: 5,
      origin: { traceparent: TRACEPARENT, holder: "team-a" },
      span: spanOf(() => assert.fail("the stream goes on")),
    });
    const [one, other] = [await callIn(stream, tracer), await callIn(stream, tracer)];
    assert.deepEqual([one.span, other.span], ended);
    assert.notEqual(one.span, other.span);
    assert.deepEqual(begun[0], { span: one.span, links: [stream.span] });
    // Admission must not take one text of a stream for a queue that another one is behind.
    for (const text of [one, other])
      assert.deepEqual(withSpan(text, stream.span), withSpan(stream, stream.span));
    for (const text of [one, other]) assert.equal(text.origin, stream.origin);
  });

  it("is none where there is no tracer, or the client has left the stream out", async () => {
    const untraced = callFrom({ traceparent: TRACEPARENT.replace(/01$/, "00") });
    assert.equal(await callIn(untraced, tracer), untraced);
    assert.equal(await callIn(untraced, undefined), untraced);
    assert.deepEqual(begun, []);
  });

  it("is ended by work that fails", async () => {
    const fails = () => Promise.reject(new Error("down"));
    await assert.rejects(inOwnTrace(tracer, someCall(), fails), /down/);
    assert.equal(ended.length, 1);
  });
});
