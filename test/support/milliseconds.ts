import type { Duration } from "../../server/gen/google/protobuf/duration.js";

/** Of a part of an answer's timing; 0 where it is not told. */
export const millisecondsOf = ({ seconds, nanos }: Duration = { seconds: 0, nanos: 0 }): number =>
  seconds * 1000 + nanos / 1e6;
