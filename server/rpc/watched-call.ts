import { constants, type ServerHttp2Stream } from "node:http2";
import {
  type Metadata,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
} from "@grpc/grpc-js";
import type { Clock } from "../core/clock.js";
import { type Arrival, withArrival } from "./arrival.js";
import { hasTooLargeHeaders, METADATA_BYTES } from "./bounded-headers.js";
import { closeSoon } from "./close-soon.js";
import { endingOf } from "./endings.js";
import type { Decision, Entrance } from "./entrance.js";
import type { CutReason } from "./events.js";
import { sendInOneWrite } from "./one-write.js";

/** What a client may take, in milliseconds. */
export interface ClientLimits {
  /** For a request that is one message to arrive: grpc-js calls no handler before it has, and knows no limit. */
  readonly requestMs: number;
  /** For the next message of a stream while none is under way, and for an answer to be taken; undefined: for ever. */
  readonly idleMs: number | undefined;
  /** Streams of requests at once: one whose reader has stopped holds about 300 KB until it is cut. */
  readonly maxStreams: number;
}

/** Of a stream: what its client does not take is to stay with it, and to be little. */
const ANSWERS_AT_ONCE = 32;

/** Streams of requests that are under way. */
interface Streams {
  open: number;
}

type Method = Parameters<ServerInterceptor>[0];
type Listener = Parameters<ServerInterceptingCallInterface["start"]>[0];

/**
 * Ends calls whose clients take longer than that, and tells `cut` of each; reads no request of whom `entrance` does not let in; and tells the handler what it knows of
 * the call, as its `Arrival`: one interceptor, as each costs every call.
 */
export function watchCalls(
  limits: ClientLimits,
  entrance: Entrance,
  clock: Clock,
  cut: (why: CutReason) => void,
): ServerInterceptor {
  const streams: Streams = { open: 0 };
  return (method, call) => {
    const counted = method.requestStream ? streams : undefined;
    return new WatchedCall(call, method, counted, limits, entrance, clock, cut);
  };
}

/** What is written in this turn of the event loop goes out together: else each answer is a write of its own, and a read of its client's. */
function gather(stream: ServerHttp2Stream): void {
  stream.cork();
  process.nextTick(() => stream.uncork());
}

class WatchedCall extends ServerInterceptingCall {
  /** Messages that came, that were given to gRPC to send, and that went out as far as the client's windows allowed. */
  #read = 0;
  #given = 0;
  #taken = 0;
  /** Of a stream's last answer, until gRPC is told. */
  #sent: (() => void) | undefined;
  #isWhole = false;
  #isCut = false;
  /** It is refused by what its metadata says. */
  #isUnread = false;
  #isOver = false;
  /** It is one of the streams that are open. */
  #isCounted = false;
  /** When one of these last changed. */
  #lastMs: number;
  #callOff = () => {};
  #arrival: Arrival | undefined;
  readonly #call: ServerInterceptingCallInterface;
  readonly #method: Method;
  /** undefined: its request is one message. */
  readonly #streams: Streams | undefined;
  readonly #limits: ClientLimits;
  readonly #entrance: Entrance;
  readonly #clock: Clock;
  readonly #cut: (why: CutReason) => void;

  constructor(
    call: ServerInterceptingCallInterface,
    method: Method,
    streams: Streams | undefined,
    limits: ClientLimits,
    entrance: Entrance,
    clock: Clock,
    cut: (why: CutReason) => void,
  ) {
    super(call);
    this.#call = call;
    this.#method = method;
    this.#streams = streams;
    this.#limits = limits;
    this.#entrance = entrance;
    this.#clock = clock;
    this.#cut = cut;
    this.#lastMs = clock.now();
  }

  override start(listener: Listener): void {
    this.#call.start({
      onReceiveMetadata: (metadata) => {
        this.#begin();
        const stream = this.#stream;
        if (stream && hasTooLargeHeaders(stream))
          return this.#end("large_metadata", METADATA_BYTES);
        const { path } = this.#method;
        const decision = this.#entrance(path, metadata, () => this.#call.getPeer());
        if (!(decision instanceof Promise)) this.#handOn(metadata, decision, listener);
        else void decision.then((one) => this.#handOn(metadata, one, listener));
      },
      onReceiveMessage: (message) => {
        this.#read++;
        this.#lastMs = this.#clock.now();
        listener.onReceiveMessage(message);
      },
      onReceiveHalfClose: () => {
        this.#isWhole = true;
        this.#halfClose(listener);
      },
      // However the call has ended.
      onCancel: () => {
        this.#callOff();
        this.#isOver = true;
        if (this.#isCounted && this.#streams) this.#streams.open--;
        // Whoever has ended it: nobody will read what its client may go on sending.
        if (this.#isCut || !this.#isWhole) this.#closeSoon();
        listener.onCancel();
      },
    });
  }

  override startRead(): void {
    if (!this.#isUnread) super.startRead();
  }

  override sendMessage(message: unknown, sent: () => void): void {
    if (this.#method.responseStream) this.#sendOneOfMany(message, sent);
    else {
      this.#given++;
      super.sendMessage(message, () => this.#note());
      this.#answer(sent);
    }
  }

  #sendOneOfMany(message: unknown, sent: () => void): void {
    const stream = this.#stream;
    // It has got a status already, which would be lost with what is written behind it; or HTTP/2 has no place for an answer: it was asked by HEAD.
    if (stream?.writableEnded) {
      sent();
      return;
    }
    if (stream && this.#given === this.#taken) gather(stream);
    this.#given++;
    this.#sent = sent;
    super.sendMessage(message, () => {
      this.#note();
      this.#askForNext();
    });
    this.#askForNext();
  }

  /** A message has gone out. */
  #note(): void {
    this.#taken++;
    this.#lastMs = this.#clock.now();
  }

  /** gRPC gives the next answer of a stream when it is told that the last one was sent. */
  #askForNext(): void {
    const [sent, stream] = [this.#sent, this.#stream];
    if (sent === undefined) return;
    const isOpen = stream && !(stream.writableEnded || stream.writableNeedDrain);
    const most = isOpen ? ANSWERS_AT_ONCE : 1;
    if (this.#given - this.#taken >= most) return;
    this.#sent = undefined;
    sent();
  }

  /** What follows a single message is its status. */
  #answer(sent: () => void): void {
    const stream = this.#stream;
    // A message that gRPC cannot send has got a status already.
    if (stream === undefined || stream.writableEnded) return;
    sent();
    sendInOneWrite(stream);
  }

  /** A call that is not let in goes the way of the others, to be refused, counted and told of there: as if its message were an empty one. */
  #handOn(metadata: Metadata, decision: Decision, listener: Listener): void {
    // What was found out after its client had left.
    if (this.#isOver) return;
    const { isLetIn } = decision;
    if (isLetIn && this.#streams && !this.#isPlaceFor(this.#streams)) {
      this.#end("too_many_streams", this.#limits.maxStreams);
      return;
    }
    this.#isUnread = !(isLetIn || this.#streams);
    const deadlineMs = this.#clock.now() + Number(this.#call.getDeadline()) - Date.now();
    this.#arrival = { deadlineMs, decision, cut: () => this.#abandon() };
    // Of a stream of requests the handler begins with that.
    if (this.#streams) withArrival(this.#arrival, () => listener.onReceiveMetadata(metadata));
    else listener.onReceiveMetadata(metadata);
    if (!this.#isUnread) return;
    [this.#isWhole, this.#isCut] = [true, true];
    listener.onReceiveMessage({});
    this.#halfClose(listener);
  }

  /** The handler of a single request begins with that. */
  #halfClose(listener: Listener): void {
    if (this.#arrival === undefined || this.#streams) listener.onReceiveHalfClose();
    else withArrival(this.#arrival, () => listener.onReceiveHalfClose());
  }

  /** Streams of those who are not let in, or not yet, take nobody's place. */
  #isPlaceFor(streams: Streams): boolean {
    if (streams.open >= this.#limits.maxStreams) return false;
    streams.open++;
    this.#isCounted = true;
    return true;
  }

  #begin(): void {
    const { requestMs, idleMs } = this.#limits;
    this.#lookAfter(this.#streams ? idleMs : requestMs);
  }

  /** A call needs no more than one timer, however many messages it has. */
  #lookAfter(ms: number | undefined): void {
    if (ms !== undefined) this.#callOff = this.#clock.after(ms, () => this.#look());
  }

  #look(): void {
    const { requestMs, idleMs } = this.#limits;
    const leftMs = idleMs && this.#lastMs + idleMs - this.#clock.now();
    const isSilent = !this.#isWhole && this.#read === this.#given;
    if (!this.#streams && !this.#isWhole) this.#end("slow_request", requestMs);
    else if (idleMs === undefined || leftMs === undefined || leftMs > 0) this.#lookAfter(leftMs);
    else if (this.#given > this.#taken) this.#abandon();
    else if (isSilent) this.#end("silent_stream", idleMs);
    // It is we who have not answered yet.
    else this.#lookAfter(idleMs);
  }

  /** Else it is open until the client ends its side too, as proper ones do when they have the status: at once it could overtake that. */
  #closeSoon(): void {
    const stream = this.#stream;
    if (stream === undefined || stream.closed) return;
    closeSoon(stream, this.#clock);
  }

  /** By a status that says why. */
  #end(why: Parameters<typeof endingOf>[0], limit: number): void {
    this.#isCut = true;
    this.#cut(why);
    this.sendStatus(endingOf(why, limit));
  }

  /** A status would wait behind the answers that are not taken, and these in memory: only HTTP/2 itself can end it. Clients see RESOURCE_EXHAUSTED. */
  #abandon(): void {
    // Of a key that is revoked: its call may have got its status meanwhile.
    if (this.#isOver) return;
    this.#cut("stopped_reader");
    this.#stream?.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  /** grpc-js has no way to end a call but by a status. */
  get #stream(): ServerHttp2Stream | undefined {
    return (this.#call as { readonly stream?: ServerHttp2Stream }).stream;
  }
}
