/**
 * Opens streams of AnalyzeStream, sends texts as fast as they are taken, and never reads an answer. Says "open" once all streams are, and stays until it is ended.
 *
 *   node dist/test/full/stop-reading.js ADDRESS CONNECTIONS STREAMS
 */
import { once } from "node:events";
import { type ClientHttp2Session, connect } from "node:http2";
import { AnalyzeStreamRequest, Tier } from "../../server/gen/sentiment/v1/sentiment.js";
import { callHeaders } from "../support/transport-clients.js";

/** Of each stream: more than windows and buffers hold. */
const TEXTS = 2000;
const [address = "", connections = 0, streams = 0] = process.argv
  .slice(2)
  .map((argument, index) => (index === 0 ? argument : Number(argument))) as [
  string,
  number,
  number,
];

const framed = (id: string) => {
  const text = `It was a fine day number ${Number(id) % 100}, and we liked it.`;
  const request = { id, text, tier: Tier.TIER_FAST, options: undefined };
  const message = AnalyzeStreamRequest.encode(request).finish();
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
};
const texts = Buffer.concat(Array.from({ length: TEXTS }, (_, index) => framed(String(index))));

/** Small windows are full at once, so that what the server holds is what is measured, and not how long it takes to fill ours. */
async function session(): Promise<ClientHttp2Session> {
  const opened = connect(`http://${address}`, { settings: { initialWindowSize: 1024 } });
  opened.on("error", () => {});
  await once(opened, "remoteSettings");
  return opened;
}

for (let count = 0; count < connections; count++) {
  const connection = await session();
  for (let stream = count; stream < streams; stream += connections) {
    const call = connection.request(callHeaders("AnalyzeStream"));
    call.on("error", () => {});
    call.write(texts);
  }
}
process.stdout.write("open\n");
process.once("disconnect", () => process.exit());
