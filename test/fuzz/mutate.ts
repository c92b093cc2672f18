import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { bytesOf, type Draw, oneOf } from "./draw.js";

type Mutation = (message: Buffer, draw: Draw) => Buffer;

/** Over and over, so that it is about `bytes` long. */
const flood = (piece: Uint8Array, bytes: number): Buffer => Buffer.alloc(bytes, piece);

const fieldOf = (number: number, type: WireType, value: Uint8Array): Buffer =>
  Buffer.concat([new BinaryWriter().uint32((number << 3) | type).finish(), value]);

const NOT_UTF8 = ["ff", "c328", "eda080", "f4908080", "e28a", "80", "c080"].map((hex) =>
  Buffer.from(hex, "hex"),
);
const LENGTHS = [
  "ffffffff07",
  "ffffffff0f",
  "ffffffffffffffff7f",
  "80808080808080808001",
  "7f",
].map((hex) => Buffer.from(hex, "hex"));
const SIZES = [50, 50, 500, 500, 5_000, 5_000, 50_000];

/** Ways to spoil a protobuf message, or to make it one that is allowed and that nobody sends. */
const MUTATIONS: Readonly<Record<string, Mutation>> = {
  cut: (message, draw) => message.subarray(0, draw(0, message.length)),
  flipped: (message, draw) => {
    const flipped = Buffer.from(message);
    for (let times = draw(1, 4); times > 0 && flipped.length > 0; times--)
      flipped[draw(0, flipped.length - 1)] = draw(0, 255);
    return flipped;
  },
  inserted: (message, draw) => {
    const place = draw(0, message.length);
    const between = bytesOf(draw, draw(1, 20));
    return Buffer.concat([message.subarray(0, place), between, message.subarray(place)]);
  },
  random: (_message, draw) => bytesOf(draw, draw(0, 200)),
  "over and over": (message, draw) =>
    flood(message, Math.min(100_000, message.length * draw(2, 200))),
  "a varint without an end": (message, draw) =>
    Buffer.concat([
      message,
      Buffer.of(oneOf(draw, [8, 16, 24])),
      flood(Buffer.of(0xff), draw(1, 12)),
    ]),
  "another wire type": (message, draw) => {
    const other = Buffer.from(message);
    if (other.length > 0) other[0] = ((other[0] ?? 0) & ~7) | draw(0, 7);
    return other;
  },
  "a length that never comes": (message, draw) =>
    Buffer.concat([message, fieldOf(draw(1, 7), WireType.LengthDelimited, oneOf(draw, LENGTHS))]),
  "groups in groups": (message, draw) => {
    const deep = draw(1, oneOf(draw, SIZES));
    const open = flood(Buffer.of((draw(1, 15) << 3) | WireType.StartGroup), deep);
    return Buffer.concat([message, open, flood(Buffer.of(0x0c), draw(0, deep))]);
  },
  "fields that nobody knows": (message, draw) => {
    const unknown = fieldOf(draw(100, 100_000), WireType.Varint, Buffer.of(draw(0, 127)));
    return Buffer.concat([message, flood(unknown, oneOf(draw, SIZES))]);
  },
  "empty fields by the thousand": (message, draw) => {
    const empty = fieldOf(draw(1, 8), WireType.LengthDelimited, Buffer.of(0));
    return Buffer.concat([message, flood(empty, oneOf(draw, SIZES))]);
  },
  "messages in messages": (message, draw) => {
    let nested = message;
    for (let deep = draw(1, 150); deep > 0; deep--)
      nested = fieldOf(oneOf(draw, [3, 4, 5]), WireType.LengthDelimited, delimited(nested));
    return nested;
  },
  "tags that are none": (message, draw) =>
    Buffer.concat([message, oneOf(draw, [Buffer.of(0, 0), Buffer.of(0x0e), Buffer.of(0x0f, 1)])]),
  "bytes that are no text": (message, draw) =>
    Buffer.concat([
      message,
      fieldOf(draw(1, 3), WireType.LengthDelimited, delimited(oneOf(draw, NOT_UTF8))),
    ]),
  "numbers at the edges": (message, draw) =>
    Buffer.concat([
      message,
      fieldOf(draw(1, 8), WireType.Varint, new BinaryWriter().int64(-(2n ** 63n)).finish()),
      fieldOf(draw(1, 8), WireType.Varint, new BinaryWriter().uint64(2n ** 64n - 1n).finish()),
    ]),
};

const delimited = (bytes: Uint8Array): Uint8Array => new BinaryWriter().bytes(bytes).finish();

/** The message, spoilt in one to three ways. */
export function mutated(message: Uint8Array, draw: Draw): Buffer {
  let result = Buffer.from(message);
  for (let times = draw(1, 3); times > 0; times--)
    result = Buffer.from(oneOf(draw, Object.values(MUTATIONS))(result, draw));
  return result;
}
