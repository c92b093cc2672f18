import { bytesOf, type Draw, happens, oneOf } from "./draw.js";
import { framed } from "./envelope.js";
import {
  FLAG,
  frame,
  headerBlock,
  hpackString,
  PREFACE,
  settings,
  TYPE,
  uint32,
} from "./frames.js";
import { METHODS } from "./methods.js";
import type { Keys, RawPlan } from "./plan.js";

type Frames = (draw: Draw, call: Call) => readonly Uint8Array[];

/** A call that is in order, on that stream. */
interface Call {
  headers(stream: number, flags?: number): Buffer;
  data(stream: number, flags?: number): Buffer;
}

const EDGES = [0, 1, 2, 3, 5, 0x7fffffff, 0x80000001, 0xffffffff];
const SOME = [1, 10, 100, 1000];
const times = (count: number, make: (place: number) => Uint8Array): readonly Uint8Array[] => [
  Buffer.concat(Array.from({ length: count }, (_, place) => make(place))),
];
/** The stream of a client's call by its place among them. */
const streamAt = (place: number) => 2 * place + 1;
const whole = (call: Call, stream: number) => [call.headers(stream), call.data(stream, FLAG.end)];

/** What comes after a preface and settings that are in order. */
const MISCHIEF: Readonly<Record<string, Frames>> = {
  "a call that is in order": (_draw, call) => whole(call, 1),
  "frames of any kind": (draw) =>
    times(oneOf(draw, SOME), () =>
      frame(
        draw(0, 12),
        draw(0, 255),
        oneOf(draw, EDGES),
        bytesOf(draw, oneOf(draw, [0, 1, 4, 5, 8, 40])),
      ),
    ),
  "lengths that lie": (draw, call) => [
    ...whole(call, 1),
    frame(draw(0, 10), draw(0, 255), 1, bytesOf(draw, 20), oneOf(draw, [0, 19, 21, 2 ** 24 - 1])),
  ],
  "frames of the wrong size": (draw) => [
    frame(oneOf(draw, [2, 3, 4, 6, 7, 8]), 0, draw(0, 1), bytesOf(draw, draw(0, 12))),
  ],
  "too much padding": (draw, call) => [
    call.headers(1),
    frame(TYPE.data, FLAG.padded, 1, Buffer.of(draw(0, 255), ...bytesOf(draw, draw(0, 9)))),
  ],
  "streams that are none": (draw, call) =>
    [oneOf(draw, EDGES), oneOf(draw, EDGES)].flatMap((stream) => whole(call, stream)),
  "streams that go backwards": (_draw, call) =>
    [7, 5, 3, 1].flatMap((stream) => whole(call, stream)),
  "a stream that is over": (draw, call) => [
    ...whole(call, 1),
    oneOf(draw, [call.data(1), call.headers(1), frame(TYPE.window, 0, 1, uint32(1))]),
  ],
  "data without a call": (draw, call) => [call.data(oneOf(draw, EDGES))],
  windows: (draw, call) => [
    call.headers(1),
    ...times(oneOf(draw, SOME), () =>
      frame(TYPE.window, 0, draw(0, 1), uint32(oneOf(draw, EDGES))),
    ),
  ],
  "settings at the edges": (draw, call) => [
    ...times(oneOf(draw, SOME), () =>
      settings([draw(0, 9), oneOf(draw, EDGES)], [draw(1, 6), oneOf(draw, EDGES)]),
    ),
    ...whole(call, 1),
  ],
  "settings that are acknowledged, and were never sent": (draw) =>
    times(oneOf(draw, SOME), () => frame(TYPE.settings, FLAG.ack, 0, bytesOf(draw, draw(0, 1)))),
  "a header that goes on and on": (draw, call) => [
    call.headers(1, 0),
    ...times(oneOf(draw, SOME), () =>
      frame(TYPE.continuation, 0, 1, happens(draw, 100) ? bytesOf(draw, 500) : undefined),
    ),
  ],
  "a header that is interrupted": (draw, call) => [
    call.headers(1, 0),
    oneOf(draw, [call.data(1), call.headers(3), frame(TYPE.ping, 0, 0, uint32(1, 2))]),
  ],
  "headers that are no HPACK": (draw) => [
    frame(TYPE.headers, FLAG.endHeaders | FLAG.end, 1, bytesOf(draw, draw(0, 60))),
  ],
  "HPACK at the edges": (draw) => [
    frame(
      TYPE.headers,
      FLAG.endHeaders,
      1,
      oneOf(draw, [
        Buffer.from("ffffffffffffffff7f", "hex"),
        Buffer.from("3fffffffffffff7f", "hex"),
        Buffer.from("80", "hex"),
        Buffer.from("be", "hex"),
        Buffer.from("00ffffffff0f61", "hex"),
        Buffer.from("0085ffffffffff8161", "hex"),
        Buffer.from("3fe13f20".repeat(50), "hex"),
      ]),
    ),
  ],
  // One entry of the table, 4 kB, and thousands of references to it of a byte each.
  "an HPACK bomb": (draw) => [
    frame(
      TYPE.headers,
      FLAG.endHeaders,
      1,
      Buffer.concat([
        Buffer.of(0x40),
        hpackString("x"),
        hpackString("y".repeat(4000)),
        Buffer.alloc(oneOf(draw, [100, 10_000]), 0xbe),
      ]),
    ),
  ],
  "headers that HTTP/2 has none of": (draw) => [
    frame(
      TYPE.headers,
      FLAG.endHeaders | FLAG.end,
      1,
      headerBlock([
        [":path", "/"],
        oneOf(draw, [
          ["Upper", "x"],
          ["connection", "close"],
          [":status", "200"],
          ["", "x"],
          ["x", "a\r\nb: c"],
          [":path", "/twice"],
          ["content-length", "-1"],
        ] as const),
      ]),
    ),
  ],
  "calls that are taken back at once": (draw, call) =>
    times(oneOf(draw, [...SOME, 3000]), (place) =>
      Buffer.concat([
        call.headers(streamAt(place)),
        frame(TYPE.reset, 0, streamAt(place), uint32(oneOf(draw, EDGES))),
      ]),
    ),
  "calls that are taken back once they are there": (draw, call) =>
    times(oneOf(draw, SOME), (place) =>
      Buffer.concat([
        ...whole(call, streamAt(place)),
        frame(TYPE.reset, 0, streamAt(place), uint32(8)),
      ]),
    ),
  "calls that say nothing": (draw, call) =>
    times(oneOf(draw, SOME), (place) => call.headers(streamAt(place))),
  "resets of nothing": (draw) =>
    times(oneOf(draw, SOME), () => frame(TYPE.reset, 0, oneOf(draw, EDGES), uint32(0))),
  pings: (draw) =>
    times(oneOf(draw, [...SOME, 5000]), () => frame(TYPE.ping, draw(0, 1), 0, uint32(1, 2))),
  "priorities, of oneself too": (draw) =>
    times(oneOf(draw, SOME), () =>
      frame(TYPE.priority, 0, oneOf(draw, [1, 3]), Buffer.concat([uint32(1), Buffer.of(255)])),
    ),
  "a push from a client": (_draw, call) => [
    call.headers(1),
    frame(TYPE.push, FLAG.endHeaders, 1, uint32(2)),
  ],
  "going away, and coming back": (draw, call) => [
    frame(TYPE.goaway, 0, 0, Buffer.concat([uint32(0, 0), bytesOf(draw, 50)])),
    ...whole(call, 1),
  ],
  "trailers from a client": (draw, call) => [
    call.headers(1),
    call.data(1),
    frame(
      TYPE.headers,
      FLAG.endHeaders | oneOf(draw, [0, FLAG.end]),
      1,
      headerBlock([["x-late", "y"]]),
    ),
  ],
  "data behind the end": (_draw, call) => [...whole(call, 1), call.data(1), call.data(1)],
  "a window that never opens": (_draw, call) => [settings([4, 0]), ...whole(call, 1)],
  "half a call": (draw, call) => {
    const bytes = Buffer.concat(whole(call, 1));
    return [bytes.subarray(0, draw(1, bytes.length - 1))];
  },
};

/** What is no HTTP/2, or only begins like it. */
const STRANGERS: readonly ((draw: Draw) => Buffer)[] = [
  () => Buffer.from("GET / HTTP/1.1\r\nhost: x\r\n\r\n"),
  () => Buffer.from("16030100c8010000c40303", "hex"),
  () => Buffer.from("*1\r\n$4\r\nPING\r\n"),
  (draw) => PREFACE.subarray(0, draw(0, PREFACE.length)),
  () => Buffer.concat([PREFACE, PREFACE]),
  () => Buffer.concat([PREFACE, Buffer.from("GET / HTTP/1.1\r\n\r\n")]),
  (draw) => bytesOf(draw, oneOf(draw, [1, 24, 100, 5000])),
  (draw) => {
    const preface = Buffer.from(PREFACE);
    preface[draw(0, preface.length - 1)] = draw(0, 255);
    return Buffer.concat([preface, settings()]);
  },
];

function callOf(draw: Draw, { analyze }: Keys): Call {
  const { path, message } = oneOf(draw, METHODS);
  const block = headerBlock([
    [":method", "POST"],
    [":scheme", "http"],
    [":path", happens(draw, 200) ? "/unknown" : path],
    ["content-type", happens(draw, 200) ? "text/plain" : "application/grpc"],
    ["te", "trailers"],
    ["authorization", `Bearer ${analyze}`],
  ]);
  const body = framed(message(draw));
  // A frame is no larger than that unless it was agreed upon.
  const first = body.subarray(0, 16_000);
  return {
    headers: (stream, flags = FLAG.endHeaders) => frame(TYPE.headers, flags, stream, block),
    data: (stream, flags = 0) => frame(TYPE.data, flags, stream, first),
  };
}

export function stranger(draw: Draw): RawPlan {
  return { over: "tcp", writes: [oneOf(draw, STRANGERS)(draw)] };
}

export function mischief(draw: Draw, keys: Keys): RawPlan {
  const frames = oneOf(draw, Object.values(MISCHIEF))(draw, callOf(draw, keys));
  const begin = Buffer.concat([PREFACE, settings()]);
  return {
    over: "tcp",
    // One packet or several.
    writes: happens(draw, 500) ? [Buffer.concat([begin, ...frames])] : [begin, ...frames],
    isDeaf: happens(draw, 200),
    isRude: happens(draw, 200),
  };
}
