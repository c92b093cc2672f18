import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import type { Clock } from "../core/clock.js";
import type { ConnectionEvents } from "./events.js";

const CHANNEL = "net.server.socket";
/** Who has said nothing at all by then is no client. One that has begun to speak is held to keepalive, or to the limit of TLS's handshake. */
const FIRST_WORD_MS = 10_000;

/**
 * Counts the connections of a listening port, from now on until it is disposed of. Those beyond `most` are cut at once, which costs less
 * than a handshake; so are those that stay silent.
 */
export function limitConnections(
  port: number,
  most: number,
  clock: Clock,
  events: ConnectionEvents,
): Disposable {
  let open = 0;
  const notice = (message: unknown) => {
    const { socket } = message as { socket: Socket };
    if (socket.localPort !== port) return;
    if (open >= most) {
      socket.destroy();
      events.refused();
      return;
    }
    open++;
    events.opened();
    const callOff = clock.after(FIRST_WORD_MS, () => {
      if (socket.bytesRead === 0) socket.destroy();
    });
    socket.once("close", () => {
      callOff();
      open--;
      events.closed();
    });
  };
  subscribe(CHANNEL, notice);
  return {
    [Symbol.dispose]: () => {
      unsubscribe(CHANNEL, notice);
    },
  };
}
