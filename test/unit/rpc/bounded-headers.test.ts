import assert from "node:assert/strict";
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import {
  boundHeaders,
  hasTooLargeHeaders,
  METADATA_BYTES,
} from "../../../server/rpc/bounded-headers.js";

const GRPC = {
  ":method": "POST",
  ":path": "/sentiment.v1.SentimentService/Analyze",
  "content-type": "application/grpc",
  te: "trailers",
};
const READ = {
  authorization: "Bearer a",
  "x-api-key": "a",
  traceparent: "00-a",
  tracestate: "a=b",
  "grpc-timeout": "1S",
  "grpc-encoding": "gzip",
  "grpc-accept-encoding": "gzip",
};

/** What is left of the headers, and whether they were too large. */
function bounded(headers: Record<string, string | string[]>) {
  // As Node makes them.
  const given: IncomingHttpHeaders = Object.assign(Object.create(null), { ...GRPC, ...headers });
  const stream = {} as ServerHttp2Stream;
  const raw = Object.entries({ ...GRPC, ...headers }).flatMap(([name, values]) =>
    [values].flat().flatMap((value) => [name, value]),
  );
  boundHeaders(stream, given, raw);
  return { left: { ...given }, isTooLarge: hasTooLargeHeaders(stream) };
}

/** An own property, as in JSON. */
const named = (name: string, value: string | string[]) =>
  JSON.parse(JSON.stringify({ "": value }).replace('""', JSON.stringify(name)));

describe("the headers of a call", () => {
  it("keep what gRPC and the services read", () =>
    assert.deepEqual(bounded(READ), { left: { ...GRPC, ...READ }, isTooLarge: false }));

  it("lose what nobody reads", () => {
    const others = {
      "user-agent": "grpc-c++",
      "x-odd-bin": ",,AA",
      baggage: "a=b",
      ...named("__proto__", "a"),
    };
    assert.deepEqual(bounded({ ...READ, ...others }), {
      left: { ...GRPC, ...READ },
      isTooLarge: false,
    });
  });

  for (const name of ["x-odd-bin", "__proto__", "x-api-key", "set-cookie"])
    it(`lose nearly all where ${name} makes them too large`, () => {
      const most =
        METADATA_BYTES -
        "te".length -
        GRPC.te.length -
        "content-type".length -
        GRPC["content-type"].length;
      const value = (bytes: number) => "x".repeat(bytes - name.length);
      assert.equal(bounded(named(name, value(most))).isTooLarge, false);
      assert.deepEqual(bounded({ traceparent: "a", ...named(name, value(most)) }), {
        left: GRPC,
        isTooLarge: true,
      });
      const half = value(most / 2);
      assert.equal(bounded(named(name, [half, half])).isTooLarge, false);
      assert.equal(bounded(named(name, [half, `${half}x`])).isTooLarge, true);
    });
});
