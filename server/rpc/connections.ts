import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import type { Clock } from "../core/clock.js";
import type { ConnectionEvents } from "./events.js";

const CHANNEL = "net.server.socket";
/** Who has said nothing at all by then is no client. One that has begun to speak is held to keepalive, or to the limit of TLS's handshake. */
const FIRST_WORD_MS = 10_000;

/** The open connections of one listening port. */
export interface Connections extends Disposable {
  /** Cuts them all. */
  destroy(): void;
}

/**
 * grpc-js's own `forceShutdown()` reaches no connection unless channelz is on (1.14), and channelz leaks; so whoever must cut
 * connections keeps an eye on them here. Begins with connections made from now on. Those beyond `most` are cut at once, which costs less
 * than a handshake; so are those that stay silent.
 */
export function trackConnections(
  port: number,
  most: number,
  clock: Clock,
  events: ConnectionEvents,
): Connections {
  const sockets = new Set<Socket>();
  const notice = (message: unknown) => {
    const { socket } = message as { socket: Socket };
    if (socket.localPort !== port) return;
    if (sockets.size >= most) {
      socket.destroy();
      events.refused();
      return;
    }
    sockets.add(socket);
    events.opened();
    const callOff = clock.after(FIRST_WORD_MS, () => {
      if (socket.bytesRead === 0) socket.destroy();
    });
    socket.once("close", () => {
      callOff();
      sockets.delete(socket);
      events.closed();
    });
  };
  subscribe(CHANNEL, notice);
  return {
    destroy() {
      for (const socket of sockets) socket.destroy();
    },
    [Symbol.dispose]: () => {
      unsubscribe(CHANNEL, notice);
    },
  };
}
