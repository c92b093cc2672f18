import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { frame, framesOf, TYPE } from "./frames.js";
import { LIMIT_MS } from "./limit.js";
import type { Outcome, RawPlan } from "./plan.js";

/** Long enough for a server that has more to do, and short for one that waits for the rest of a frame. */
const PONG_MS = 150;
/** That a deaf one leaves the server's words unread. */
const DEAF_MS = 30;
const PROBE = Buffer.from("stillok?");
/** Enough to find the pong among what a server says. */
const KEPT_BYTES = 64 * 1024;

/** What a server said on a connection so far. */
class Heard {
  #bytes = Buffer.alloc(0);

  add(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]).subarray(-KEPT_BYTES);
  }

  get isPong(): boolean {
    return this.#bytes.includes(PROBE);
  }

  get said(): string {
    for (const { type, payload } of framesOf(this.#bytes))
      if (type === TYPE.goaway) return `GOAWAY ${payload.readUInt32BE(4)}`;
    return this.isPong ? "alive" : "closed";
  }
}

/**
 * Writes, asks for a sign of life, and hangs up. The server may answer or close the connection as it likes, but it must close it once its client has.
 */
export async function driveRaw(address: string, plan: RawPlan): Promise<Outcome> {
  const [host = "", port] = address.split(":");
  const socket = connect({ host, port: Number(port), allowHalfOpen: true });
  // It is told by the end.
  socket.on("error", () => {});
  let isConnected = false;
  socket.once("connect", () => {
    isConnected = true;
  });
  // Not by `once`, which rejects where there was an error before.
  const closed = new Promise((resolve) => socket.once("close", resolve));
  const heard = new Heard();
  for (const bytes of plan.writes) socket.write(bytes);
  socket.write(frame(TYPE.ping, 0, 0, PROBE));
  if (plan.isDeaf) await sleep(DEAF_MS);
  socket.on("data", (chunk) => heard.add(chunk));
  await untilHeard(socket, heard);
  if (plan.isRude) socket.resetAndDestroy();
  else socket.end();
  const isClosed = await inTime(closed);
  socket.destroy();
  if (!isConnected) return { said: "no connection", fault: "the port took no connection" };
  if (isClosed) return { said: heard.said };
  return { said: "HANG", fault: `the connection was still open ${LIMIT_MS} ms after its client` };
}

function untilHeard(socket: Socket, heard: Heard): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      socket.off("data", look);
      resolve();
    };
    const look = () => {
      if (heard.isPong) done();
    };
    const timer = setTimeout(done, PONG_MS);
    socket.on("data", look);
    socket.once("end", done);
    socket.once("close", done);
  });
}

function inTime(end: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), LIMIT_MS);
    void end.then(() => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
