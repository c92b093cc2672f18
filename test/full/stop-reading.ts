/**
 * Opens streams of AnalyzeStream, sends texts as fast as they are taken, and never reads an answer. Says "open" once all streams are, and stays until it is ended.
 *
 *   node dist/test/full/stop-reading.js ADDRESS CONNECTIONS STREAMS [explained]
 *
 * `explained`: the same text of 10,000 words each time, a few bytes of gzip, about whose words they ask: the answers are as large as any, and are in the caches.
 */
import { once } from "node:events";
import { type ClientHttp2Session, connect } from "node:http2";
import { gzipSync } from "node:zlib";
import { AnalyzeStreamRequest, LongText, Tier } from "../../server/gen/sentiment/v1/sentiment.js";
import { callHeaders } from "../support/transport-clients.js";

/** Of each stream: more than windows and buffers hold. */
const TEXTS = 2000;
const EXPLAINED_TEXTS = 150;
const EXPLAIN = {
  longText: LongText.LONG_TEXT_UNSPECIFIED,
  explain: true,
  sentences: false,
  skipCache: false,
};
const [address = "", connections = "0", streams = "0", kind] = process.argv.slice(2);
const isExplained = kind === "explained";

const framed = (id: string) => {
  const text = isExplained
    ? "\u{1f600}".repeat(10_000)
    : `It was a fine day number ${Number(id) % 100}, and we liked it.`;
  const options = isExplained ? EXPLAIN : undefined;
  const plain = AnalyzeStreamRequest.encode({ id, text, tier: Tier.TIER_FAST, options }).finish();
  const message = isExplained ? gzipSync(plain) : plain;
  const head = Buffer.alloc(5);
  head.writeUInt8(Number(isExplained), 0);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
};
const count = isExplained ? EXPLAINED_TEXTS : TEXTS;
const texts = Buffer.concat(Array.from({ length: count }, (_, index) => framed(String(index))));
const headers = {
  ...callHeaders("AnalyzeStream"),
  "grpc-encoding": isExplained ? "gzip" : "identity",
};

/** Small windows are full at once, so that what the server holds is what is measured, and not how long it takes to fill ours. */
async function session(): Promise<ClientHttp2Session> {
  const opened = connect(`http://${address}`, { settings: { initialWindowSize: 1024 } });
  opened.on("error", () => {});
  await once(opened, "remoteSettings");
  return opened;
}

for (let first = 0; first < Number(connections); first++) {
  const connection = await session();
  for (let stream = first; stream < Number(streams); stream += Number(connections)) {
    const call = connection.request(headers);
    call.on("error", () => {});
    call.write(texts);
  }
}
process.stdout.write("open\n");
process.once("disconnect", () => process.exit());
