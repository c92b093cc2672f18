import { readFile } from "node:fs/promises";
import { Agent, type RequestOptions, request } from "node:https";
import { text } from "node:stream/consumers";

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface HttpsClient extends Disposable {
  /** GET, or POST where there is a body. Tries nothing again. */
  ask(path: string, body?: string | Buffer, options?: RequestOptions): Promise<HttpAnswer>;
}

/** HTTP/1.1 over TLS with connections that are kept, at `address:port`, trusting that PEM file. */
export async function httpsClient(address: string, cert: string): Promise<HttpsClient> {
  const agent = new Agent({ keepAlive: true, ca: await readFile(cert) });
  return {
    ask: (path, body, options) =>
      new Promise((resolve, reject) => {
        const method = body === undefined ? "GET" : "POST";
        const sent = request(`https://${address}${path}`, { agent, method, ...options });
        sent.on("error", reject).on("response", (answer) => {
          const { statusCode: status = 0, headers } = answer;
          text(answer).then((all) => resolve({ status, headers, body: all }), reject);
        });
        sent.end(body);
      }),
    [Symbol.dispose]: () => agent.destroy(),
  };
}
