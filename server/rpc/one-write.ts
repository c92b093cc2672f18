import type { OutgoingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { symbolOf } from "./node-internals.js";

/** In Node's flags of a stream: its trailers have not been sent. */
const HAS_TRAILERS = 0x20;

/** What Node holds of a stream. */
interface Held {
  readonly state: {
    flags: number;
    /** Told that what was written last has gone out, or what has become of it. */
    writeCb?: ((error?: Error | null) => void) | null;
  };
  readonly handle: {
    /** Of each header name, NUL, value, NUL and flags; and how many there are. 0, or an error of nghttp2. */
    trailers(list: readonly [string, number]): number;
  };
}

let heldBy: ((stream: ServerHttp2Stream) => Held) | undefined;

/**
 * Has an answer and its trailers go out in one write; to be called once both were given, in the turn of the event loop in which they were. Node sends trailers a
 * turn later than what is before them, and who is killed between the two leaves a call that has begun to be answered, which neither gRPC nor a proxy tries again.
 *
 * nghttp2 is given the trailers when it reads the last byte of the answer, as its documentation has it. Where a version of Node holds nothing of what that takes
 * they go out as ever.
 */
export function sendInOneWrite(stream: ServerHttp2Stream): void {
  if (!stream.writableEnded || stream.destroyed) return;
  heldBy ??= readerOf(stream);
  const state = heldBy?.(stream).state;
  if (state === undefined || !(state.flags & HAS_TRAILERS)) return;
  const { writeCb } = state;
  // The stream is over before that is told, and Node would make an error of it that nobody sees, with its stack. Bound: with a closure most calls outlived the minor
  // collections, 5 KB each (test/e2e/calls-die-young.test.ts).
  if (writeCb) state.writeCb = written.bind(stream, writeCb);
  stream.sendTrailers = sendTrailers;
  // Else it is called when the answer has gone out.
  stream._final(() => {});
}

/** What is written in this turn of the event loop goes out together: else each answer is a write of its own, and a read of its client's. */
export function gatherWrites(stream: ServerHttp2Stream): void {
  stream.cork();
  process.nextTick(() => stream.uncork());
}

function written(
  this: ServerHttp2Stream,
  tell: (error?: Error | null) => void,
  error?: Error | null,
): void {
  if (!this.destroyed) tell(error);
}

function sendTrailers(this: ServerHttp2Stream, headers: OutgoingHttpHeaders): void {
  const held = heldBy?.(this);
  if (held === undefined) return;
  let list = "";
  let count = 0;
  for (const [name, values] of Object.entries(headers))
    for (const value of Array.isArray(values) ? values : [values]) {
      list += `${name}\0${value}\0\0`;
      count++;
    }
  held.state.flags &= ~HAS_TRAILERS;
  if (held.handle.trailers([list, count]) < 0) this.destroy();
}

function readerOf(stream: ServerHttp2Stream): typeof heldBy {
  const [state, handle] = [symbolOf(stream, "state"), symbolOf(stream, "kHandle")];
  if (state === undefined || handle === undefined) return undefined;
  return (of) => {
    const by = of as unknown as Readonly<Record<symbol, unknown>>;
    return { state: by[state], handle: by[handle] } as Held;
  };
}
