import type { Duration } from "../gen/google/protobuf/duration.js";

/** Milliseconds, 0 or more, as the protobuf message. */
export function durationOf(ms: number): Duration {
  const seconds = Math.floor(ms / 1000);
  return { seconds, nanos: Math.min(999_999_999, Math.round((ms - seconds * 1000) * 1e6)) };
}
