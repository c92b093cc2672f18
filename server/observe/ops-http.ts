import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { listenFault } from "../core/listen-fault.js";
import type { Registry } from "./metrics.js";
import type { AboutServer, ProcessEntry, ServerStatus } from "./status.js";
import { PAGE_POLICY, statusPage } from "./status-page.js";

/** What /readyz tells: whether calls should come, and why not. */
interface ReadyState {
  readonly ready: boolean;
}

export interface OpsParts {
  readonly registry: Pick<Registry, "contentType" | "metrics">;
  readonly ready: () => ReadyState | Promise<ReadyState>;
  readonly about: AboutServer;
  /** What each process does now. */
  readonly processes: () => readonly ProcessEntry[] | Promise<readonly ProcessEntry[]>;
  /** Told of a scrape, or a connection, that failed. */
  readonly reportFault: (error: unknown) => void;
}

/** Closing cuts whoever is connected: nobody waits for a scrape. */
export interface OpsServer extends AsyncDisposable {
  /** The port that it listens on. */
  readonly port: number;
}

interface Answer {
  readonly code: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const JSON_TYPE = "application/json";
const json = (code: number, value: unknown): Answer => ({
  code,
  type: JSON_TYPE,
  body: `${JSON.stringify(value)}\n`,
});

/** /metrics, /livez, /readyz and /status over HTTP; port 0 takes a free one. Throws StartupError for a port in use. */
export async function serveOps(address: string, port: number, parts: OpsParts): Promise<OpsServer> {
  const server = createServer((request, response) => {
    answerTo(request, parts)
      .catch((error: unknown) => {
        parts.reportFault(error);
        return json(500, { error: "The scrape failed: the server's log has the cause." });
      })
      .then((answer) => send(answer, request, response))
      .catch(parts.reportFault);
  });
  server.listen(port, address);
  // Rejects with what `error` tells.
  await once(server, "listening").catch((error: unknown) => {
    throw listenFault("HTTP_PORT", address, port, error);
  });
  // A connection that cannot be accepted (too many open files) is an error of the server: unheard it would end the process.
  server.on("error", parts.reportFault);
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answerTo(request: IncomingMessage, parts: OpsParts): Promise<Answer> {
  if (request.method !== "GET" && request.method !== "HEAD")
    return json(405, { error: "Only GET and HEAD are answered." });
  switch (request.url?.split("?")[0]) {
    case "/metrics": {
      const { registry } = parts;
      return { code: 200, type: registry.contentType, body: await registry.metrics() };
    }
    case "/livez":
      return json(200, { live: true });
    case "/readyz": {
      const state = await parts.ready();
      return json(state.ready ? 200 : 503, state);
    }
    case "/status":
      return statusAnswer(request, { ...parts.about, processes: await parts.processes() });
    default:
      return json(404, { error: "There is /metrics, /livez, /readyz and /status." });
  }
}

/** A page for browsers, and for whoever does not say; JSON for who asks for that first. */
function statusAnswer({ headers: { accept = "" } }: IncomingMessage, status: ServerStatus): Answer {
  const [first] = /application\/json|text\/html/.exec(accept) ?? [];
  const vary = { vary: "accept" };
  if (first === JSON_TYPE) return { ...json(200, status), headers: vary };
  return {
    code: 200,
    type: "text/html; charset=utf-8",
    body: statusPage(status),
    headers: { ...vary, "content-security-policy": PAGE_POLICY },
  };
}

function send(
  { code, type, body, headers }: Answer,
  request: IncomingMessage,
  response: ServerResponse,
) {
  response.writeHead(code, {
    ...headers,
    "content-type": type,
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...(code === 405 && { allow: "GET, HEAD" }),
  });
  response.end(request.method === "HEAD" ? undefined : body);
}
