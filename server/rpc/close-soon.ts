import type { ServerHttp2Stream } from "node:http2";
import type { Clock } from "../core/clock.js";

const CLOSE_AFTER_MS = 1000;

/** Closes the stream of a call that is over, if its client does not, as proper ones do when they have the status: at once it could overtake that. `code`: HTTP/2's, for the client. */
export function closeSoon(stream: ServerHttp2Stream, clock: Clock, code?: number): void {
  const callOff = clock.after(CLOSE_AFTER_MS, () => stream.close(code));
  stream.once("close", callOff);
}
