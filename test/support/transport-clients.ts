import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import { ChannelCredentials } from "@grpc/grpc-js";
import { type Channel, createChannel, createClient } from "nice-grpc";
import {
  type SentimentServiceClient,
  SentimentServiceDefinition,
} from "../../server/gen/sentiment/v1/sentiment.js";
import { contentsOf, type Pair } from "./certificates.js";

/** A connection of the client's own, where equal ones would share one, and nothing is tried again. */
const ALONE = { "grpc.use_local_subchannel_pool": 1, "grpc.enable_retries": 0 };

export interface TlsClient {
  readonly client: SentimentServiceClient;
  readonly channel: Channel;
}

/** A client with a connection of its own, which trusts `ca`, shows `own`, and tries nothing again. */
export async function tlsClient(address: string, ca: Pair, own?: Pair): Promise<TlsClient> {
  const root = await readFile(ca.cert);
  const [cert = null, key = null] = own === undefined ? [] : await contentsOf(own);
  const credentials = ChannelCredentials.createSsl(root, key, cert);
  const channel = createChannel(`https://${address}`, credentials, ALONE);
  return { client: createClient(SentimentServiceDefinition, channel), channel };
}

/** A TLS connection that says no more than hello. */
export function tlsSocket(address: string, options: ConnectionOptions = {}): TLSSocket {
  const [host, port] = address.split(":");
  const socket = connectTls({
    host,
    port: Number(port),
    ALPNProtocols: ["h2"],
    rejectUnauthorized: false,
    ...options,
  });
  return socket.on("error", () => {});
}

/** TLS 1.3 and 1.2 reach HTTP/2 there, nothing older does. */
export async function speaksModernTls(address: string): Promise<void> {
  for (const version of ["TLSv1.3", "TLSv1.2"] as const) {
    const socket = tlsSocket(address, { minVersion: version, maxVersion: version });
    await once(socket, "secureConnect");
    assert.deepEqual([socket.getProtocol(), socket.alpnProtocol], [version, "h2"]);
    socket.destroy();
  }
  const old = {
    minVersion: "TLSv1",
    maxVersion: "TLSv1.1",
    ciphers: "DEFAULT@SECLEVEL=0",
  } as const;
  const socket = tlsSocket(address, old);
  const error = await new Promise<Error>((resolve) => socket.once("error", resolve));
  assert.match(String(error), /alert protocol version/i);
}

/** The headers of a call by HTTP/2 itself. */
export const callHeaders = (method: string) => ({
  ":method": "POST",
  ":path": `/sentiment.v1.SentimentService/${method}`,
  "content-type": "application/grpc",
  te: "trailers",
});
