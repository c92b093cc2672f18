export const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

export const TYPE = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  window: 8,
  continuation: 9,
} as const;

export const FLAG = { end: 1, ack: 1, endHeaders: 4, padded: 8, priority: 0x20 } as const;

const HEAD_BYTES = 9;
const nothing = Buffer.alloc(0);

/** A frame of HTTP/2; its `length` may lie. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array = nothing,
  length = payload.length,
): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUIntBE(length & 0xffffff, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream >>> 0, 5);
  return Buffer.concat([head, payload]);
}

export const uint32 = (...values: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [place, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, 4 * place);
  return bytes;
};

/** A SETTINGS frame of pairs: identifier, value. */
export const settings = (...pairs: readonly (readonly [id: number, value: number])[]): Buffer =>
  frame(
    TYPE.settings,
    0,
    0,
    Buffer.concat(
      pairs.map(([id, value]) => Buffer.concat([Buffer.of(id >> 8, id & 0xff), uint32(value)])),
    ),
  );

const MOST_IN_PREFIX = 0x7f;

/** HPACK's string, without Huffman. */
export function hpackString(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  const length = [Math.min(bytes.length, MOST_IN_PREFIX)];
  if (bytes.length >= MOST_IN_PREFIX) {
    let rest = bytes.length - MOST_IN_PREFIX;
    for (; rest >= 0x80; rest >>= 7) length.push((rest & 0x7f) | 0x80);
    length.push(rest);
  }
  return Buffer.concat([Buffer.from(length), bytes]);
}

/** A header block of literals that no table keeps. */
export const headerBlock = (headers: readonly (readonly [name: string, value: string])[]): Buffer =>
  Buffer.concat(
    headers.flatMap(([name, value]) => [Buffer.of(0), hpackString(name), hpackString(value)]),
  );

/** What the answers of a server are, frame by frame, as far as they are whole. */
export function* framesOf(
  bytes: Buffer,
): Generator<{ readonly type: number; readonly flags: number; readonly payload: Buffer }> {
  for (let place = 0; place + HEAD_BYTES <= bytes.length; ) {
    const end = place + HEAD_BYTES + bytes.readUIntBE(place, 3);
    if (end > bytes.length) return;
    yield {
      type: bytes.readUInt8(place + 3),
      flags: bytes.readUInt8(place + 4),
      payload: bytes.subarray(place + HEAD_BYTES, end),
    };
    place = end;
  }
}
