import assert from "node:assert/strict";
import type { Call } from "../../../server/core/call.js";
import type { Span } from "../../../server/core/trace.js";
import type { Ended, EndedCall } from "../../../server/rpc/around-calls.js";
import { type CallLine, type CallLog, callLines } from "../../../server/rpc/call-lines.js";
import { callFrom, someCall } from "../../support/some-call.js";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const UNTRACED = someCall();
const SECRET = "a dull and dreary play";

describe("lines of calls", () => {
  let asked: [isFault: boolean, ms: number][];
  let lines: CallLine[];
  let level: ReturnType<CallLog["levelOf"]>;
  let draining: boolean;
  let ended: Ended;
  beforeEach(() => {
    [asked, lines, level, draining] = [[], [], "info", false];
    ended = callLines(
      {
        levelOf: (...call) => {
          asked.push(call);
          return level;
        },
        write: (_, line) => lines.push(line),
      },
      () => draining,
    );
  });
  const callOf = (request: unknown, responseStream = false) =>
    ({ method: { path: "/s/Method" }, request, responseStream }) as EndedCall;
  const lineOf = (request: unknown, call = UNTRACED) => {
    ended(callOf(request), call, "OK", 1.2345, 0);
    assert.doesNotMatch(JSON.stringify(lines), /dreary/);
    return lines.at(-1);
  };

  it("tell method, status, time, texts and tier", () => {
    assert.deepEqual(lineOf({ text: SECRET, tier: 1 }), {
      method: "/s/Method",
      code: "OK",
      ms: 1.2,
      texts: 1,
      tier: "fast",
      trace: undefined,
    });
    const { texts, tier } = lineOf({ texts: [SECRET, SECRET, SECRET], tier: 0 }) ?? {};
    assert.deepEqual([texts, tier], [3, "default"]);
    assert.equal(lineOf({ texts: [], tier: 4 })?.tier, "auto");
    assert.equal(lineOf({ texts: [], tier: 9 })?.tier, undefined);
    assert.deepEqual([lineOf({})?.texts, lineOf({})?.tier], [undefined, undefined]);
  });

  it("tell the same of KServe's calls, but no name that a client has made up", () => {
    const inputs = [{ name: "TEXT", shape: [2, 1] }];
    const { texts, tier } = lineOf({ modelName: "sentiment_auto", inputs }) ?? {};
    assert.deepEqual([texts, tier], [2, "auto"]);
    assert.equal(lineOf({ modelName: SECRET, inputs: [] })?.tier, undefined);
  });

  it("tell the trace that the call belongs to", () => {
    const traceparent = `00-${TRACE}-b7ad6b7169203331-01`;
    const call = callFrom({ traceparent });
    assert.equal(lineOf({}, call)?.trace, TRACE);
    const span = { traceId: "another" } as Span;
    assert.equal(lineOf({}, { ...call, span })?.trace, "another");
  });

  it("tell a stream's answers, and do not call it slow", () => {
    ended(callOf((async function* () {})(), true), UNTRACED, "CANCELLED", 90_000, 7);
    assert.deepEqual(asked, [[false, 0]]);
    const { code, ms, texts, tier } = lines[0] ?? {};
    assert.deepEqual([code, ms, texts, tier], ["CANCELLED", 90_000, 7, undefined]);
  });

  it("call the server's failures faults, and none of the callers'", () => {
    for (const code of ["INTERNAL", "UNKNOWN", "UNAVAILABLE", "INVALID_ARGUMENT"])
      ended(callOf({}), UNTRACED, code, 1, 0);
    for (const code of ["CANCELLED", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"])
      ended(callOf({}), UNTRACED, code, 1, 0);
    draining = true;
    for (const code of ["UNAVAILABLE", "INTERNAL"]) ended(callOf({}), UNTRACED, code, 1, 0);
    assert.deepEqual(
      asked.map(([isFault]) => isFault),
      [true, true, true, false, false, false, true, false, true],
    );
  });

  it("look at nothing of a call that the log does not want", () => {
    level = undefined;
    const untouchable = new Proxy({} as Call, { get: () => assert.fail("it was looked at") });
    const request = new Proxy({}, { get: () => assert.fail("it was looked at") });
    ended(callOf(request), untouchable, "OK", 1, 0);
    assert.deepEqual(lines, []);
  });
});
