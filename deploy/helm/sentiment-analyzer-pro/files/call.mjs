// What `helm test` runs in the server's image: health, a call over gRPC, and one through the REST bridge. Ends with an error where one is not as it must be.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { ChannelCredentials, createChannel, createClient, Metadata } from "nice-grpc";
import { HealthDefinition } from "nice-grpc-server-health";
import { SentimentServiceDefinition } from "./dist/server/gen/sentiment/v1/sentiment.js";

const { ADDRESS, CA, CERT, KEY, KEYS, API_KEY, REST } = process.env;
const tell = (line) => process.stdout.write(`${line}\n`);
const TEXT = "I love this product!";
const REQUEST = { text: TEXT, tier: 0, options: undefined };
const file = (path) => (path === undefined || path === "system" ? null : readFileSync(path));
const credentials =
  CA === undefined
    ? ChannelCredentials.createInsecure()
    : ChannelCredentials.createSsl(file(CA), file(KEY), file(CERT));
const channel = createChannel(ADDRESS, credentials);
const options = () => ({
  signal: AbortSignal.timeout(20_000),
  metadata: Metadata(API_KEY && { authorization: `Bearer ${API_KEY}` }),
});

const health = await createClient(HealthDefinition, channel).check({ service: "" }, options());
assert.equal(health.status, 1, "the server does not serve");
tell(`${ADDRESS} is SERVING`);

// Where keys are asked for and none is at hand, that is what there is to see.
const mayCall = KEYS === undefined || API_KEY !== undefined;
const analyzer = createClient(SentimentServiceDefinition, channel);
if (mayCall) {
  const { sentiment } = await analyzer.analyze(REQUEST, options());
  assert.equal(sentiment?.label, 3, `"${TEXT}" is not positive`);
  tell(
    `"${TEXT}" is positive: ${sentiment.score}, by ${sentiment.model} ${sentiment.modelVersion}`,
  );
} else {
  await assert.rejects(analyzer.analyze(REQUEST, options()), /UNAUTHENTICATED/);
  tell("a call without a key is refused");
}
channel.close();

if (REST !== undefined) {
  const reply = await fetch(`${REST}/api/analyze`, {
    method: "POST",
    body: JSON.stringify({ text: TEXT }),
    headers: API_KEY && { authorization: `Bearer ${API_KEY}` },
    signal: AbortSignal.timeout(20_000),
  });
  const body = await reply.json();
  assert.equal(reply.status, mayCall ? 200 : 401, JSON.stringify(body));
  if (mayCall) assert.equal(body.sentiment.label, "LABEL_POSITIVE");
  tell(`${REST} answers with ${reply.status}`);
}
