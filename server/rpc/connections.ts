import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { EventEmitter } from "node:events";
import { constants, type Http2Server, type Http2Session, type ServerHttp2Stream } from "node:http2";
import { Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { boundHeaders } from "./bounded-headers.js";
import { bringNear } from "./far-deadline.js";
import { keepBeyondItsStreams } from "./kept-sessions.js";
import { keepStreamsApart } from "./stream-table.js";

/** Node tells there of each server that begins to listen: grpc-js keeps its own to itself. */
const LISTENS = "tracing:net.server.listen:asyncEnd";
/** The highest there is: no stream that the client has begun is refused. */
const LAST_STREAM = 2 ** 31 - 1;
/** From one look at whether calls have come to the next. */
const LOOK_MS = 20;
/** After so many looks in a row that found none, all who had calls have gone elsewhere. Looks, not time: a process that is busy may be late to see them. */
const QUIET_LOOKS = 15;

/** The open connections of one listening port. */
interface Connections {
  /** Takes those that wait, and then no more; those that are open go on. Resolves when the port is closed, after `limitMs` at the latest. */
  refuse(limitMs: number): Promise<void>;
  /**
   * Answers what still comes, and has the client make its next call elsewhere (GOAWAY). Resolves when nothing comes any more, after `limitMs` at the latest:
   * then a connection can be closed without a call on its way being lost.
   */
  retire(limitMs: number): Promise<void>;
  /** Cuts them all. */
  destroy(): void;
}

export interface Listeners extends Disposable {
  /** Those that listen on the port. */
  at(port: number): Connections;
}

interface Open {
  /** Connections so far. */
  readonly taken: () => number;
  readonly sockets: ReadonlySet<Socket>;
  readonly sessions: ReadonlySet<Http2Session>;
}

/**
 * The servers that begin to listen before it is disposed of. grpc-js's own `forceShutdown()` reaches no connection unless channelz is on (1.14), and
 * channelz leaks; and its `tryShutdown()` closes port and connections in the same moment, with calls on their way.
 */
export function noticeListeners(): Listeners {
  const noticed = new Map<Http2Server, Open>();
  const notice = (message: unknown) => {
    const { server } = message as { server: Http2Server };
    noticed.set(server, openOf(server));
  };
  subscribe(LISTENS, notice);
  return {
    at(port) {
      // Another server of this process may have begun to listen meanwhile.
      const own = [...noticed].filter(([server]) => portOf(server) === port);
      return connectionsOf(own);
    },
    [Symbol.dispose]: () => {
      unsubscribe(LISTENS, notice);
    },
  };
}

/** By real time, whatever clock a test brings: what is waited for are real connections. */
function connectionsOf(own: readonly (readonly [Http2Server, Open])[]): Connections {
  const taken = () => own.reduce((sum, [, open]) => sum + open.taken(), 0);
  const isAnyOpen = () => own.some(([, { sessions }]) => sessions.size > 0);
  return {
    async refuse(limitMs) {
      // Node takes one in a turn of the event loop, and the system resets those that wait when the port closes, with the calls that they bring.
      const untilMs = performance.now() + limitMs;
      for (let before = -1; before < taken() && performance.now() < untilMs; await turn())
        before = taken();
      // Http2Server's own close() closes the sessions as well.
      for (const [server] of own) Server.prototype.close.call(server);
    },
    async retire(limitMs) {
      const untilMs = performance.now() + limitMs;
      let calls = 0;
      const asked = new WeakSet<Http2Session>();
      const onCall = ({ session }: ServerHttp2Stream) => {
        calls++;
        if (session === undefined || asked.has(session)) return;
        asked.add(session);
        askToLeave(session);
      };
      for (const [server] of own) server.on("stream", onCall);
      for (let quiet = 0; quiet < QUIET_LOOKS && isAnyOpen() && performance.now() < untilMs; ) {
        const before = calls;
        await sleep(LOOK_MS);
        quiet = calls === before ? quiet + 1 : 0;
      }
    },
    destroy() {
      for (const [, { sockets }] of own) for (const socket of sockets) socket.destroy();
    },
  };
}

function openOf(server: Http2Server): Open {
  const sockets = new Set<Socket>();
  const sessions = new Set<Http2Session>();
  let taken = 0;
  server.on("connection", (socket: Socket) => {
    taken++;
    holdIn(sockets, socket);
  });
  // Before grpc-js has read them.
  server.prependListener("stream", (stream, headers, _flags, rawHeaders) => {
    boundHeaders(stream, headers, rawHeaders);
    bringNear(headers);
  });
  server.on("session", (session) => {
    holdIn(sessions, session);
    keepBeyondItsStreams(session);
    keepStreamsApart(session);
  });
  return { taken: () => taken, sockets, sessions };
}

const turn = () => new Promise<void>((next) => setImmediate(next));

function holdIn<One extends EventEmitter>(open: Set<One>, one: One): void {
  open.add(one);
  one.once("close", () => open.delete(one));
}

function portOf(server: Http2Server): number | undefined {
  const address = server.address();
  return typeof address === "object" ? address?.port : undefined;
}

/** Only while a call is under way: of a session without any, Node reads nothing more once it has sent a GOAWAY, also not what was on its way. */
function askToLeave(session: Http2Session): void {
  try {
    session.goaway(constants.NGHTTP2_NO_ERROR, LAST_STREAM);
  } catch {
    // It is closed already.
  }
}
