import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface SpanSink extends AsyncDisposable {
  /** For a server that is to send its spans here. */
  readonly env: Readonly<Record<string, string>>;
  readonly port: number;
  /** From now on nothing is answered. */
  freeze(): void;
  /** What has waited is answered. */
  thaw(): void;
}

/** Takes traces by OTLP over HTTP, and forgets them: for loads so long that they would fill the memory. On a free port, or on that of one that was closed. */
export async function startSpanSink(wantedPort = 0): Promise<SpanSink> {
  let frozen = false;
  const waiting = new Set<ServerResponse>();
  const answer = (response: ServerResponse) =>
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  const server = createServer((request, response) => {
    request.resume().once("end", () => {
      if (frozen) waiting.add(response);
      else answer(response);
    });
  });
  server.listen(wantedPort, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    },
    port,
    freeze: () => {
      frozen = true;
    },
    thaw: () => {
      frozen = false;
      for (const response of waiting) answer(response);
      waiting.clear();
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
