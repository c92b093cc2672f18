import type { OutgoingHttpHeaders } from "node:http2";
import { bytesOf, type Draw, oneOf } from "./draw.js";

/** Those of a call that is in order. */
export const headersOf = (path: string, key: string | undefined): OutgoingHttpHeaders => ({
  ":method": "POST",
  ":path": path,
  "content-type": "application/grpc",
  te: "trailers",
  ...(key !== undefined && { authorization: `Bearer ${key}` }),
});

/** What is wrong with a call's headers; `isBroken`: gRPC has no status for who sends that, and HTTP/2 itself may answer. */
export interface OddHeaders {
  readonly headers: OutgoingHttpHeaders;
  readonly isBroken?: true;
}

type Oddity = (headers: OutgoingHttpHeaders, draw: Draw) => OddHeaders;

const withOne =
  (name: string, ...values: readonly (string | undefined)[]): Oddity =>
  (headers, draw) => ({ headers: { ...headers, [name]: oneOf(draw, values) } });
/** The same, where no status of gRPC may come. */
const broken =
  (name: string, ...values: readonly (string | undefined)[]): Oddity =>
  (headers, draw) => ({ ...withOne(name, ...values)(headers, draw), isBroken: true });

const TIMEOUTS = [
  ..."|1|S|-1S|1x|0n|00000000S|1S1S|999999999999H|99999999H|1e9S|0x10S|1u|100m".split("|"),
  "9".repeat(5000),
];
const KEYS = [
  ..."|Bearer|Bearer |Basic YWxh|Bearer sap_wrong|bearer x y|Bearer \u00e9\u00ff".split("|"),
  `Bearer ${" ".repeat(5000)}x`,
  `Bearer ${"k".repeat(5000)}`,
];
/** As it comes over the wire: node:http2 takes no characters that are not bytes. */
const PASTED = Buffer.from("“sap_pasted”").toString("latin1");
const TRACES = [
  `00-${"0".repeat(32)}-${"0".repeat(16)}-00`,
  `00-${"a".repeat(32)}-${"b".repeat(16)}-01`,
  `ff-${"a".repeat(32)}-${"b".repeat(16)}-01`,
  `${"0-".repeat(2000)}`,
  "00",
];
const PATHS = [
  "/",
  "//",
  "/sentiment.v1.SentimentService",
  "/sentiment.v1.SentimentService/",
  "/sentiment.v1.SentimentService/analyze",
  "/sentiment.v1.SentimentService/Analyze/",
  "/sentiment.v1.SentimentService/Analyze?x=1",
  "/sentiment.v1.SentimentService/%41nalyze",
  "/__proto__/constructor",
  "/constructor",
  `/${"p".repeat(8000)}`,
  "/\u00ff\u00fe",
];

const ODDITIES: Readonly<Record<string, Oddity>> = {
  path: withOne(":path", ...PATHS),
  timeout: withOne("grpc-timeout", ...TIMEOUTS),
  key: withOne("authorization", undefined, ...KEYS),
  "another key": withOne("x-api-key", "", "x", "k".repeat(5000), PASTED, "\u00ff"),
  "content type": broken(
    "content-type",
    undefined,
    "",
    "text/html",
    "application/json",
    "application/grpc+json",
    "application/grpc; charset=utf-8",
    "application/grpcx",
  ),
  te: withOne("te", undefined),
  encoding: withOne("grpc-encoding", "gzip", "deflate", "snappy", "", "identity"),
  "accepted encodings": withOne("grpc-accept-encoding", "", "gzip", ",".repeat(3000)),
  trace: withOne("traceparent", ...TRACES),
  "trace state": withOne("tracestate", "a=b", "=", ",".repeat(5000), "k=v,".repeat(900)),
  "a status of its own": withOne("grpc-status", "0", "13", "x"),
  method: broken(":method", "GET", "HEAD", "OPTIONS", "PUT", "X"),
  scheme: withOne(":scheme", "https", "ftp"),
  authority: withOne(":authority", "elsewhere", "[::1]:99999"),
  "no path": broken(":path", "*", "http://elsewhere/"),
  "no scheme": broken(":scheme", "", "1"),
  "no authority": broken(":authority", "", "a b", "u:p@h"),
  "bytes that are none": withOne(
    "x-odd-bin",
    ..."|!!!|=|====|%00|AA|AA,,BB|,|\u00ff".split("|"),
    "A".repeat(6000),
    "AA,".repeat(2000),
  ),
  names: (headers, draw) => ({
    headers: {
      ...headers,
      [oneOf(draw, ["__proto__", "__proto__x", "constructor", "x", "grpc-x-bin", "x.y_z-0"])]: "x",
    },
  }),
  // Of a byte on the wire each, but for the first.
  "many pieces": (headers, draw) => {
    const pieces = draw(2, 20);
    return { headers: { ...headers, "x-odd-bin": Array(pieces).fill(",".repeat(3000)) } };
  },
  "many of them": (headers, draw) => {
    const many = Array.from({ length: draw(10, 100) }, (_, number) => [
      `x-odd-${number}`,
      bytesOf(draw, draw(0, 50)).toString("hex"),
    ]);
    return { headers: { ...headers, ...Object.fromEntries(many) } };
  },
  // More than the server takes.
  "too many of them": (headers, draw) => {
    const many = Array.from({ length: draw(120, 300) }, (_, number) => [`x-odd-${number}`, "x"]);
    return { headers: { ...headers, ...Object.fromEntries(many) }, isBroken: true };
  },
  "too large": broken("x-odd", "x".repeat(30_000), "x".repeat(64_000)),
};

/** One to three oddities. */
export function oddHeaders(headers: OutgoingHttpHeaders, draw: Draw): OddHeaders {
  let result: OddHeaders = { headers };
  for (let times = draw(1, 3); times > 0; times--) {
    const next = oneOf(draw, Object.values(ODDITIES))(result.headers, draw);
    result = result.isBroken ? { ...next, isBroken: true } : next;
  }
  return result;
}
