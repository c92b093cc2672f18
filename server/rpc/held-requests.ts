import { constants, type ServerHttp2Stream } from "node:http2";
import type {
  Metadata,
  ServerInterceptingCall,
  ServerInterceptor,
  StatusObject,
} from "@grpc/grpc-js";
import type { Clock } from "../core/clock.js";
import { endingOf } from "./endings.js";
import { HeldBytes } from "./held-bytes.js";

/** A message is a string of two bytes a character at most once it is read, and what it was read from is kept for a while. */
const TIMES = 2;
/** What Node has of each piece of a message that is not whole yet, however short. */
const PIECE_BYTES = 256;
const CLOSE_AFTER_MS = 1000;
/** grpc-js's: between two messages. */
const NO_DATA = 0;

/** What grpc-js's own call has, and does not tell of. */
interface Receiving {
  readonly stream: ServerHttp2Stream;
  readonly decoder: { readonly readState: number; readPartialMessage: readonly Buffer[] };
  handler: { deserialize(bytes: Buffer): unknown };
  handleDataFrame(data: Buffer): void;
  decompressMessage(message: Buffer, encoding: string): Buffer | Promise<Buffer>;
  sendStatus(status: Partial<StatusObject> & { readonly metadata: Metadata }): void;
}

/** Of messages of streams that no service has taken up. */
const untaken = new WeakMap<object, () => void>();

/** A service has begun with a message of a stream: what is made of it is the service's to bound. */
export const takenUp = (message: object): void => untaken.get(message)?.();

/**
 * Bounds what requests take that have come, wholly or in part: grpc-js takes whatever is sent on as many streams as there are, keeps a request until its call is over, and of a
 * stream 16 messages that nobody has read yet. 4 KB of gzip are 4 MB of text. Beyond `mostBytes` calls are refused with OVERLOADED, on connections that
 * have their even part of it at least. Must come before interceptors that wrap grpc-js's own call, and before those that look at what it inflates.
 */
export function holdRequests(mostBytes: number, clock: Clock, cut: () => void): ServerInterceptor {
  const held = new HeldBytes(mostBytes);
  return ({ requestStream }, call) => {
    const receiving = call as Partial<Receiving>;
    if (receiving.handleDataFrame && receiving.decoder && receiving.stream?.session)
      new HeldRequest(call as unknown as Receiving, held, clock, cut).watch(requestStream);
    // The type asks for a wrapper, where none is needed.
    return call as ServerInterceptingCall;
  };
}

/** Of one call. */
class HeldRequest {
  #bytes = 0;
  #pieces = 0;
  #isOver = false;
  readonly #connection: object;
  readonly #call: Receiving;
  readonly #held: HeldBytes;
  readonly #clock: Clock;
  readonly #cut: () => void;

  constructor(call: Receiving, held: HeldBytes, clock: Clock, cut: () => void) {
    this.#call = call;
    this.#connection = call.stream.session ?? call;
    this.#held = held;
    this.#clock = clock;
    this.#cut = cut;
  }

  watch(isStream: boolean): void {
    const call = this.#call;
    const handleDataFrame = call.handleDataFrame.bind(call);
    const inflate = call.decompressMessage.bind(call);
    call.handleDataFrame = (data) => {
      if (this.#isOver) return;
      this.#take(TIMES * data.length);
      if (!this.#isOver) handleDataFrame(data);
      this.#count();
    };
    call.decompressMessage = (message, encoding) => {
      const whole = inflate(message, encoding);
      return whole instanceof Promise
        ? whole.then((one) => this.#inflated(message, one))
        : this.#inflated(message, whole);
    };
    if (isStream) this.#releaseTaken();
    call.stream.once("close", () => this.#end());
  }

  /** From now on it takes what is in it, without gRPC's five bytes before it. */
  #inflated(message: Buffer, inflated: Buffer): Buffer {
    this.#take(TIMES * (inflated.length - message.length));
    return inflated;
  }

  /** Of a stream, whose messages come one after the other; the one of another call is kept until it is over. */
  #releaseTaken(): void {
    const { handler } = this.#call;
    const deserialize = (bytes: Buffer) => {
      const message = handler.deserialize(bytes);
      let size = TIMES * bytes.length;
      const release = () => {
        this.#give(size);
        size = 0;
      };
      untaken.set(message as object, release);
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
    if (this.#isOver) return;
    this.#bytes += bytes;
    if (!this.#held.add(this.#connection, bytes)) this.#refuse();
  }

  #give(bytes: number): void {
    if (this.#call.stream.destroyed) return;
    this.#bytes -= bytes;
    this.#held.add(this.#connection, -bytes);
  }

  #refuse(): void {
    this.#isOver = true;
    this.#cut();
    this.#call.sendStatus(endingOf("large_requests", this.#held.most));
    const { stream } = this.#call;
    // A status waits behind answers that are not taken.
    const callOff = this.#clock.after(CLOSE_AFTER_MS, () =>
      stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM),
    );
    stream.once("close", callOff);
  }

  #end(): void {
    this.#isOver = true;
    this.#held.add(this.#connection, -this.#bytes);
    this.#bytes = 0;
  }
}
