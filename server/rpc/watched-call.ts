import { constants, type ServerHttp2Stream } from "node:http2";
import {
  type Metadata,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
} from "@grpc/grpc-js";
import type { Clock } from "../core/clock.js";
import { carried } from "./arrival.js";
import { hasTooLargeHeaders, METADATA_BYTES } from "./bounded-headers.js";
import { type ClientLimits, OpenStreams } from "./client-limits.js";
import { closeSoon } from "./close-soon.js";
import { endingOf } from "./endings.js";
import { type Decision, type Entrance, shown } from "./entrance.js";
import type { CutReason } from "./events.js";
import { gatherWrites, sendInOneWrite } from "./one-write.js";

/** Of a stream: what its client does not take is to stay with it, and to be little. */
const ANSWERS_AT_ONCE = 32;

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
  const streams = new OpenStreams(limits.maxStreams);
  return (method, call) => {
    const counted = method.requestStream ? streams : undefined;
    return new WatchedCall(call, method, counted, limits, entrance, clock, cut);
  };
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
  readonly #call: ServerInterceptingCallInterface;
  readonly #method: Method;
  /** undefined: its request is one message. */
  readonly #streams: OpenStreams | undefined;
  readonly #limits: ClientLimits;
  readonly #entrance: Entrance;
  readonly #clock: Clock;
  readonly #cut: (why: CutReason) => void;

  constructor(
    call: ServerInterceptingCallInterface,
    method: Method,
    streams: OpenStreams | undefined,
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
        const { requestMs, idleMs } = this.#limits;
        this.#lookAfter(this.#streams ? idleMs : requestMs);
        const stream = this.#stream;
        if (stream && hasTooLargeHeaders(stream))
          return this.#end("large_metadata", METADATA_BYTES);
        const peer = () => this.#call.getPeer();
        const decision = this.#entrance(this.#method.path, metadata, peer);
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
        listener.onReceiveHalfClose();
      },
      // However the call has ended.
      onCancel: () => {
        this.#callOff();
        this.#isOver = true;
        if (this.#isCounted) this.#streams?.leave();
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
    if (stream && this.#given === this.#taken) gatherWrites(stream);
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
    // Streams of those who are not let in, or not yet, take nobody's place.
    if (decision.isLetIn && this.#streams) {
      this.#isCounted = this.#streams.enter();
      if (!this.#isCounted) {
        this.#end("too_many_streams", this.#limits.maxStreams);
        return;
      }
    }
    this.#isUnread = !(decision.isLetIn || this.#streams);
    const deadlineMs = this.#clock.now() + Number(this.#call.getDeadline()) - Date.now();
    const cut = () => this.#abandon();
    listener.onReceiveMetadata(carried({ deadlineMs, decision, metadata: shown(metadata), cut }));
    if (!this.#isUnread) return;
    [this.#isWhole, this.#isCut] = [true, true];
    listener.onReceiveMessage({});
    listener.onReceiveHalfClose();
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
    if (stream && !stream.closed) closeSoon(stream, this.#clock);
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
