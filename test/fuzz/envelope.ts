import { deflateSync, gzipSync } from "node:zlib";
import { bytesOf, type Draw, oneOf } from "./draw.js";

const PREFIX_BYTES = 5;

/** What is written of a call, piece by piece, and the encoding that it says it has. */
export interface Body {
  readonly chunks: readonly Uint8Array[];
  readonly encoding?: string;
}

/** A message as gRPC frames it: a flag, and its length in four bytes. */
export function framed(message: Uint8Array, flag = 0, length = message.length): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt8(flag);
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, message]);
}

/** Little that becomes much: 10 MB of nothing in 10 kB, and 4 MB that are just within what the server takes. */
const BOMBS = [10_000_000, 4_000_000].map((bytes) => gzipSync(Buffer.alloc(bytes)));

type Framing = (message: Uint8Array, draw: Draw) => Body;

const gzipped = (bytes: Uint8Array, flag = 1): Body => ({
  chunks: [framed(bytes, flag)],
  encoding: "gzip",
});

const FRAMINGS: Readonly<Record<string, Framing>> = {
  "compressed by no encoding": (message) => ({ chunks: [framed(message, 1)] }),
  "a flag that is none": (message, draw) => ({ chunks: [framed(message, draw(2, 255))] }),
  gzip: (message) => gzipped(gzipSync(message)),
  deflate: (message) => ({ chunks: [framed(deflateSync(message), 1)], encoding: "deflate" }),
  "gzip that is not compressed": (message) => gzipped(message, 0),
  "gzip that is none": (message) => gzipped(message),
  "gzip that is cut": (message, draw) => {
    const packed = gzipSync(message);
    return gzipped(packed.subarray(0, draw(0, packed.length - 1)));
  },
  "gzip with something behind": (message, draw) =>
    gzipped(Buffer.concat([gzipSync(message), bytesOf(draw, 9)])),
  "an encoding that nobody knows": (message, draw) => ({
    chunks: [framed(message, draw(0, 1))],
    encoding: oneOf(draw, ["snappy", "zstd", "identity", "gzip,gzip", "", "x".repeat(2000)]),
  }),
  "a length too long": (message, draw) => ({
    chunks: [framed(message, 0, message.length + draw(1, 5000))],
  }),
  "a length too short": (message, draw) => ({
    chunks: [framed(message, 0, Math.max(0, message.length - draw(1, 10)))],
  }),
  "a length beyond all": (message, draw) => ({
    chunks: [framed(message, 0, oneOf(draw, [2 ** 32 - 1, 2 ** 31, 4_100_000, 5_000_000]))],
  }),
  nothing: () => ({ chunks: [] }),
  "a part of the prefix": (message, draw) => ({
    chunks: [framed(message).subarray(0, draw(1, PREFIX_BYTES))],
  }),
  "several messages": (message, draw) => ({
    chunks: Array<Buffer>(draw(2, 50)).fill(framed(message)),
  }),
  "one byte after the other": (message) => ({
    chunks: Array.from(framed(message.subarray(0, 200)), (byte) => Uint8Array.of(byte)),
  }),
  "no message at all": (_message, draw) => ({ chunks: [bytesOf(draw, draw(1, 100))] }),
};

export const oddlyFramed: Framing = (message, draw) =>
  oneOf(draw, Object.values(FRAMINGS))(message, draw);

/** Gzip bombs, one or several in a row. */
export const bomb = (draw: Draw): Body => ({
  chunks: Array<Buffer>(draw(1, 8)).fill(framed(oneOf(draw, BOMBS), 1)),
  encoding: "gzip",
});
