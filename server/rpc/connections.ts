import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";

const CHANNEL = "net.server.socket";

/** The open connections of one listening port. */
export interface Connections extends Disposable {
  /** Cuts them all. */
  destroy(): void;
}

/**
 * grpc-js's own `forceShutdown()` reaches no connection unless channelz is on (1.14), and channelz leaks; so whoever must cut
 * connections keeps an eye on them here. Begins with connections made from now on.
 */
export function trackConnections(port: number): Connections {
  const sockets = new Set<Socket>();
  const notice = (message: unknown) => {
    const { socket } = message as { socket: Socket };
    if (socket.localPort !== port) return;
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
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
