import type { ChannelOptions } from "@grpc/grpc-js";

/** What clients may take of the server before any call of theirs is looked at. Of one process. */
export interface TransportLimits {
  readonly maxConnections: number;
  /** Calls under way on one connection; gRPC's clients keep back what is beyond. */
  readonly maxConcurrentStreams: number;
  /** A client that has vanished without a word is noticed by a ping, after so long without one, that it does not answer for so long. */
  readonly keepaliveMs: number;
  readonly keepaliveLimitMs: number;
  /** From when on a client is asked to connect anew, give or take a tenth; undefined: never. */
  readonly connectionAgeMs: number | undefined;
  /** From when on a connection without a call is closed; undefined: never. */
  readonly connectionIdleMs: number | undefined;
  /** As `ClientLimits.idleMs` and `maxStreams`. */
  readonly streamIdleMs: number | undefined;
  readonly maxStreams: number;
  /** That requests may take which have come and are not answered yet, reckoned at twice their bytes. */
  readonly maxRequestBytes: number;
}

/** Room in a message for what is not text: field tags, options, and texts that are escaped no further. */
const MESSAGE_OVERHEAD_BYTES = 64 * 1024;
const MAX_UTF8_BYTES = 4;
/** For the answer of a call that took all of its time to reach the client. */
const AGE_GRACE_MS = 5000;

/** Of a message's texts. */
interface MessageLimits {
  readonly maxBatchTexts: number;
  readonly maxTextLength: number;
}

/** What one message may have. */
export const mostBytesOf = ({ maxBatchTexts, maxTextLength }: MessageLimits): number =>
  maxBatchTexts * maxTextLength * MAX_UTF8_BYTES + MESSAGE_OVERHEAD_BYTES;

/** The same for grpc-js, with what one message may hold. */
export const channelOptions = (
  limits: TransportLimits,
  message: MessageLimits,
  callMs: number,
): ChannelOptions => ({
  "grpc.max_receive_message_length": mostBytesOf(message),
  // Channelz keeps records of every connection and call, and leaks (grpc-js).
  "grpc.enable_channelz": 0,
  "grpc.max_concurrent_streams": limits.maxConcurrentStreams,
  "grpc.keepalive_time_ms": limits.keepaliveMs,
  "grpc.keepalive_timeout_ms": limits.keepaliveLimitMs,
  ...idleOf(limits.connectionIdleMs),
  ...agingOf(limits.connectionAgeMs, callMs),
});

const idleOf = (idleMs: number | undefined) =>
  idleMs === undefined ? {} : { "grpc.max_connection_idle_ms": idleMs };

/** A call that is under way when its connection has aged is finished: only what may take longer than any call, a stream, is cut. */
const agingOf = (ageMs: number | undefined, callMs: number) =>
  ageMs === undefined
    ? {}
    : {
        "grpc.max_connection_age_ms": ageMs,
        "grpc.max_connection_age_grace_ms": callMs + AGE_GRACE_MS,
      };
