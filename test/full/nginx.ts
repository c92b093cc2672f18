/**
 * Three servers and two REST bridges behind a real nginx with the recommended files, asked by TLS: what callers who try nothing again notice while servers and bridges
 * are killed, and drain. Needs `make gateway` before.
 */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { Status } from "nice-grpc";
import { LongText, Tier } from "../../server/gen/sentiment/v1/sentiment.js";
import { type Fleet, restart, startFleet } from "../support/fleet.js";
import { type HttpsClient, httpsClient } from "../support/https-client.js";
import { openLoop } from "../support/open-loop.js";
import { countsOf, scrape } from "../support/scrape.js";
import { sentences } from "../support/sentences.js";
import { type TlsClient, tlsClient } from "../support/transport-clients.js";
import { textAt, unretriedCalls } from "../support/unretried-calls.js";

const ROUNDS = 6;
const SERVERS = 3;
const BRIDGES = 2;
const CALLS_PER_SECOND = 200;
const REST_CALLS_PER_SECOND = 20;
/** Keep a server busy for long enough to be found at it. */
const LONG_TEXTS = Array.from({ length: 20 }, (_, place) =>
  sentences(200 * (place + 1))
    .slice(-200)
    .join(" ")
    .slice(0, 9000),
);
const tier = Tier.TIER_FAST;

describe("servers and bridges behind nginx", function () {
  this.timeout(300_000);
  let fleet: Fleet;
  let grpc: TlsClient;
  let rest: HttpsClient;
  before(async () => {
    fleet = await startFleet({ servers: SERVERS, bridges: BRIDGES });
    const { secureAddress, certificate } = fleet.nginx;
    grpc = await tlsClient(secureAddress, certificate);
    rest = await httpsClient(secureAddress, certificate.cert);
  });
  after(async () => {
    rest?.[Symbol.dispose]();
    grpc?.channel.close();
    await fleet?.[Symbol.asyncDispose]();
  });

  const busyServer = () =>
    busyOf(
      fleet.servers.map(({ opsAddress }) => opsAddress),
      "sentiment_requests_in_flight",
    );
  const busyBridge = () =>
    busyOf(
      fleet.bridges.map(({ port }) => `127.0.0.1:${port}`),
      "sentiment_gateway_requests_in_flight",
    );

  it(`lose no call while one server is killed and another one drains, ${ROUNDS} times`, async () => {
    const lost: string[] = [];
    const over = new AbortController();
    const loads = [
      unretriedCalls(grpc.client, CALLS_PER_SECOND, over.signal, lost),
      openLoop(REST_CALLS_PER_SECOND, over.signal, (place) => askByRest(rest, place, lost)),
    ];
    try {
      for (let round = 0; round < ROUNDS; round++) {
        await Promise.all([
          restart(fleet, round % SERVERS, "SIGKILL"),
          restart(fleet, (round + 1) % SERVERS, "SIGTERM"),
          fleet.killBridge(round % BRIDGES).then(() => fleet.startBridge(round % BRIDGES)),
        ]);
        assert.deepEqual(lost, [], `round ${round + 1}`);
      }
    } finally {
      over.abort();
    }
    const [calls, restCalls] = await Promise.all(loads);
    const told = `${calls} calls, and ${restCalls} by REST`;
    assert.deepEqual(lost, [], `of ${told}`);
    process.stdout.write(`    ${told}: none failed\n`);
  });

  it("answer what a server that was killed had under way", async () => {
    const longText = LongText.LONG_TEXT_UNSPECIFIED;
    const options = { explain: false, sentences: false, skipCache: true, longText };
    const call = grpc.client.analyzeBatch({ texts: LONG_TEXTS, tier, options });
    const place = await busyServer();
    await fleet.endServer(place, "SIGKILL");
    const { results } = await call;
    assert.equal(results.filter(({ sentiment }) => sentiment).length, LONG_TEXTS.length);
    await fleet.startServer(place);
  });

  it("answer what a bridge that was killed had under way", async () => {
    const options = { skipCache: true };
    const body = JSON.stringify({ texts: LONG_TEXTS, tier: "TIER_FAST", options });
    const call = rest.ask("/api/analyze/batch", body);
    const place = await busyBridge();
    await fleet.killBridge(place);
    const { status, body: answer } = await call;
    assert.equal(status, 200, answer);
    const { results }: { results: { sentiment?: object }[] } = JSON.parse(answer);
    assert.equal(results.filter(({ sentiment }) => sentiment).length, LONG_TEXTS.length);
    await fleet.startBridge(place);
  });

  it("end a stream whose server was killed with INTERNAL", async () => {
    const killed = Promise.withResolvers<number>();
    async function* texts() {
      yield { id: "1", text: "fine", tier, options: undefined };
      await killed.promise;
    }
    const stream = async () => {
      for await (const { sentiment } of grpc.client.analyzeStream(texts())) {
        assert.ok(sentiment);
        const place = await busyServer();
        await fleet.endServer(place, "SIGKILL");
        killed.resolve(place);
      }
    };
    await assert.rejects(stream, { code: Status.INTERNAL });
    await fleet.startServer(await killed.promise);
  });
});

async function askByRest(rest: HttpsClient, place: number, lost: string[]): Promise<void> {
  const body = JSON.stringify({ text: textAt(place), tier: "TIER_FAST" });
  try {
    const { status, body: answer } = await rest.ask("/api/analyze", body);
    assert.equal(status, 200, answer);
    assert.ok(JSON.parse(answer).sentiment.label);
  } catch (error) {
    lost.push(`call ${place} by REST: ${error}`);
  }
}

/** The place of the one that has something under way. */
async function busyOf(opsAddresses: readonly string[], gauge: string): Promise<number> {
  for (;;) {
    const scrapes = await Promise.all(opsAddresses.map(scrape));
    const place = scrapes.findIndex((samples) => Object.keys(countsOf(samples, gauge)).length > 0);
    if (place >= 0) return place;
    await sleep(10);
  }
}
