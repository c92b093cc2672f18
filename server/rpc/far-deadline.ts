import type { IncomingHttpHeaders } from "node:http2";

const TIMEOUT = "grpc-timeout";
/** Of gRPC's units those that can say more than `MOST_SECONDS` in the eight digits there may be. */
const SECONDS: Readonly<Record<string, number>> = { H: 3600, M: 60, S: 1 };
/** What fits into the milliseconds of a timer, 2^31 - 1: nearly 25 days. */
const MOST_SECONDS = 2_147_483;

/** Cuts down a deadline that is further away than that: of one that is, grpc-js (1.14) keeps the lower 32 bits, which may well have passed. */
export function bringNear(headers: IncomingHttpHeaders): void {
  const timeout = headers[TIMEOUT];
  if (typeof timeout !== "string") return;
  const unit = SECONDS[timeout.slice(-1)];
  if (unit !== undefined && Number(timeout.slice(0, -1)) * unit > MOST_SECONDS)
    headers[TIMEOUT] = `${MOST_SECONDS}S`;
}
