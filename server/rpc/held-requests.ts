import { constants, type ServerHttp2Stream } from "node:http2";
import type {
  Metadata,
  ServerInterceptingCall,
  ServerInterceptor,
  StatusObject,
} from "@grpc/grpc-js";
import type { Clock } from "../core/clock.js";
import { EvenParts } from "../core/even-parts.js";
import { closeSoon } from "./close-soon.js";
import { endingOf } from "./endings.js";
import { type Answer, Held, HOLDS, type Message, OWED } from "./held-messages.js";

/** A message is a string of two bytes a character at most once it is read, and what it was read from is kept for a while. */
const TIMES = 2;
/** What Node has of each piece of a message that is not whole yet, however short, and what there is of each message that is. */
const PIECE_BYTES = 256;
const MESSAGE_BYTES = 512;
/** Of all, for the answer to one message: several that are alone can be answered, however large they are. */
const MOST_PART = 4;
/** Only what is as large as that may have an answer that takes more by far. */
const LARGE_BYTES = 16_384;
/** What there is of a call as long as its answer is not taken, beside that. */
const CALL_BYTES = 10_000;
/** Before each message. */
const LENGTH_BYTES = 4;
/** grpc-js's: between two messages. */
const NO_DATA = 0;

/** What grpc-js's own call has, and does not tell of. */
interface Receiving {
  readonly stream: ServerHttp2Stream;
  /** It has ended, for whatever reason: what comes is thrown away. */
  readonly cancelled: boolean;
  readonly decoder: {
    readonly readState: number;
    readPartialMessage: readonly Buffer[];
    readPartialSize: Buffer;
  };
  handler: { deserialize(bytes: Buffer): unknown };
  handleDataFrame(data: Buffer): void;
  decompressMessage(message: Buffer, encoding: string): Buffer | Promise<Buffer>;
  serializeMessage(answer: unknown): Buffer;
  sendMessage(answer: unknown, sent: () => void): void;
  sendStatus(status: Partial<StatusObject> & { readonly metadata: Metadata }): void;
  [HELD]?: HeldRequest;
}

const HELD = Symbol("held request");
const told = new WeakSet<object>();

/**
 * Has grpc-js's calls tell their `HELD` of what comes. By their prototype: with functions of their own most calls outlived the minor collections, 5 KB each
 * (test/e2e/calls-die-young.test.ts).
 */
function tellHeld(prototype: Receiving): void {
  if (told.has(prototype)) return;
  told.add(prototype);
  const { handleDataFrame, decompressMessage, serializeMessage, sendMessage } = prototype;
  prototype.handleDataFrame = function (data) {
    const handle = () => handleDataFrame.call(this, data);
    if (this[HELD] === undefined) handle();
    else this[HELD].takeData(data, handle);
  };
  prototype.decompressMessage = function (message, encoding) {
    const inflate = () => decompressMessage.call(this, message, encoding);
    return this[HELD] === undefined ? inflate() : this[HELD].takeWhole(message, inflate);
  };
  prototype.serializeMessage = function (answer) {
    const message = serializeMessage.call(this, answer);
    this[HELD]?.give(message.length, (answer as Answer)[OWED]);
    return message;
  };
  prototype.sendMessage = function (answer, sent) {
    const held = (answer as Answer)[OWED];
    const gone = () => {
      held?.hold(0);
      sent();
    };
    sendMessage.call(this, answer, held === undefined ? sent : gone);
  };
}

/**
 * Bounds what requests take that have come, wholly or in part: grpc-js takes whatever is sent on as many streams as there are, keeps a request until its call is over, and of a
 * stream what came together, of which nobody has read anything yet. 4 KB of gzip are 4 MB of text. Beyond `mostBytes` calls are refused with OVERLOADED, on connections that
 * have more than an even part of it, and beyond twice as much all are. A single answer counts, too, until its client has taken it: cut off without a status, which would wait behind it. Streams of which no service takes messages up are counted whole until they are over. Must come before
 * interceptors that wrap grpc-js's own call, and before those that put off inflating: at its turn it may be refused already.
 */
export function holdRequests(mostBytes: number, clock: Clock, cut: () => void): ServerInterceptor {
  const held = new EvenParts<object>(mostBytes);
  return ({ requestStream, responseStream }, call) => {
    const receiving = call as Partial<Receiving>;
    if (receiving.handleDataFrame && receiving.decoder && receiving.stream?.session) {
      const whole = call as unknown as Receiving;
      tellHeld(Object.getPrototypeOf(call));
      // Of Node's pool: V8 takes a piece of malloc's for grpc-js's own four bytes, as soon as something is copied into them.
      whole.decoder.readPartialSize = Buffer.allocUnsafe(LENGTH_BYTES);
      whole[HELD] = new HeldRequest(whole, held, clock, cut, requestStream, responseStream);
    }
    // The type asks for a wrapper, where none is needed.
    return call as ServerInterceptingCall;
  };
}

/** Of one call. */
class HeldRequest {
  #bytes = 0;
  #pieces = 0;
  #isRefused = false;
  #isClosed = false;
  readonly #connection: object;
  readonly #call: Receiving;
  readonly #held: EvenParts<object>;
  readonly #clock: Clock;
  readonly #cut: () => void;
  readonly #isStream: boolean;
  /** Of those, flow control and the number of streams bound what is not taken. */
  readonly #hasAnswers: boolean;

  constructor(
    call: Receiving,
    held: EvenParts<object>,
    clock: Clock,
    cut: () => void,
    isStream: boolean,
    hasAnswers: boolean,
  ) {
    this.#call = call;
    this.#connection = call.stream.session ?? call;
    this.#held = held;
    this.#clock = clock;
    this.#cut = cut;
    this.#hasAnswers = hasAnswers;
    this.#isStream = isStream;
    if (isStream) this.#tellOfMessages();
    call.stream.once("close", () => this.#end());
  }

  /** Bytes as they come, which `handle` reads. */
  takeData(data: Buffer, handle: () => void): void {
    if (this.#isOver) return;
    this.#take(TIMES * data.length);
    if (this.#isOver) return;
    handle();
    this.#count();
  }

  /** A message that is whole, and inflated by `inflate`. Throws a status, or rejects with it, where that is too much. */
  takeWhole(message: Buffer, inflate: () => Buffer | Promise<Buffer>): Buffer | Promise<Buffer> {
    if (this.#isOver) throw this.#refusal();
    const whole = inflate();
    return whole instanceof Promise
      ? whole.then((one) => this.#inflated(message, one))
      : this.#inflated(message, whole);
  }

  /** An answer of so many bytes is about to be sent; `held`: what was held for it. */
  give(bytes: number, held: Held | undefined): void {
    // Of a stream it is held until it has gone.
    held?.hold(this.#hasAnswers ? Math.min(bytes, held.bytes) : 0);
    if (this.#hasAnswers || this.#isOver || this.#add(bytes + CALL_BYTES)) return;
    this.#isRefused = true;
    this.#cut();
    // gRPC is about to write to it.
    setImmediate(() => this.#call.stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM));
  }

  /** Nothing of it will be read any more. */
  get #isOver(): boolean {
    return this.#isRefused || this.#isClosed || this.#call.cancelled;
  }

  /** From now on it takes what is in it, without gRPC's five bytes before it. Throws a status where that is too much. */
  #inflated(message: Buffer, inflated: Buffer): Buffer {
    this.#take(TIMES * (inflated.length - message.length) + MESSAGE_BYTES);
    if (this.#isOver) throw this.#refusal();
    // Not of each small call: functions of their own outlive minor collections.
    if (!this.#isStream && inflated.length > LARGE_BYTES) this.#tellOfMessages();
    return inflated;
  }

  /** The messages of a stream come one after the other, and each is given back once it is taken up; the one of another call is kept until it is over. */
  #tellOfMessages(): void {
    const { handler } = this.#call;
    const change = (more: number) => {
      if (more > 0) this.#take(more);
      else this.#release(-more);
      return !this.#isOver;
    };
    const deserialize = (bytes: Buffer) => {
      const message = handler.deserialize(bytes) as Message;
      const bytesHeld = this.#isStream ? TIMES * bytes.length + MESSAGE_BYTES : 0;
      message[HOLDS] = new Held(bytesHeld, this.#held.most / MOST_PART, change);
      return message;
    };
    this.#call.handler = { ...handler, deserialize };
  }

  #count(): void {
    const { decoder } = this.#call;
    // Else the pieces of the last message are kept until the next one.
    if (decoder.readState === NO_DATA) decoder.readPartialMessage = [];
    const pieces = decoder.readPartialMessage.length;
    this.#take(PIECE_BYTES * (pieces - this.#pieces));
    this.#pieces = pieces;
  }

  #take(bytes: number): void {
    if (this.#isClosed) return;
    const isGiven = this.#add(bytes);
    if (!(isGiven || this.#isOver)) this.#refuse();
  }

  #add(bytes: number): boolean {
    this.#bytes += bytes;
    return this.#held.add(this.#connection, bytes);
  }

  #release(bytes: number): void {
    if (!this.#isClosed) this.#add(-bytes);
  }

  #refusal() {
    return endingOf("large_requests", this.#held.most);
  }

  #refuse(): void {
    this.#isRefused = true;
    this.#cut();
    this.#call.sendStatus(this.#refusal());
    // A status waits behind answers that are not taken.
    closeSoon(this.#call.stream, this.#clock, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  #end(): void {
    this.#isClosed = true;
    this.#held.add(this.#connection, -this.#bytes);
  }
}
