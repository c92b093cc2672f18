import assert from "node:assert/strict";
import { once } from "node:events";
import { copyFile, rename, writeFile } from "node:fs/promises";
import { connect as connectTcp } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { createChannel, createClient, Status } from "nice-grpc";
import { SentimentServiceDefinition, Tier } from "../../server/gen/sentiment/v1/sentiment.js";
import { type Certificates, certificates, type Pair } from "../support/certificates.js";
import { heldBackend } from "../support/held-backend.js";
import { type RunningApp, runApp } from "../support/running-app.js";
import { countsOf, scrape } from "../support/scrape.js";
import { speaksModernTls, tlsClient, tlsSocket } from "../support/transport-clients.js";

const REQUEST = { text: "fine", tier: Tier.TIER_FAST, options: undefined };

describe("a server with TLS", function () {
  this.timeout(30_000);
  let made: Certificates;
  let ca: Pair;
  let served: Pair;
  let opened: AsyncDisposableStack;
  before(async () => {
    made = await certificates();
    ca = await made.make("ca");
  });
  after(() => made[Symbol.asyncDispose]());
  beforeEach(async () => {
    opened = new AsyncDisposableStack();
    served = await made.make("served", { by: ca });
  });
  afterEach(() => opened.disposeAsync());

  const tlsEnv = (files: Pair = served) => ({ TLS_CERT: files.cert, TLS_KEY: files.key });
  /** Whatever is asked is answered. */
  async function start(env: Readonly<Record<string, string>> = {}): Promise<RunningApp> {
    const backend = heldBackend();
    backend.release();
    return opened.use(await runApp({ ...tlsEnv(), ...env }, { backend: () => backend }));
  }
  const clientOf = async ({ app }: RunningApp, own?: Pair, trusted = ca) => {
    const { client, channel } = await tlsClient(app.address, trusted, own);
    opened.defer(() => channel.close());
    return client;
  };
  const refused = { code: Status.UNAVAILABLE };
  const fingerprint = async ({ app }: RunningApp) => {
    const socket = tlsSocket(app.address);
    await once(socket, "secureConnect");
    const { fingerprint256, subject } = socket.getPeerCertificate();
    socket.destroy();
    return { fingerprint256, name: subject.CN };
  };
  const saidOf = ({ log }: RunningApp, words: string) =>
    log.filter(({ msg }) => String(msg).includes(words));
  const until = async (condition: () => boolean | Promise<boolean>) => {
    while (!(await condition())) await sleep(20);
  };

  it("answers who trusts its certificate, says whose it is, and until when", async () => {
    const running = await start();
    const client = await clientOf(running);
    assert.ok((await client.analyze(REQUEST)).sentiment);
    const [line] = saidOf(running, "the certificate that is served");
    assert.equal(line?.["names"], "DNS:localhost, IP Address:127.0.0.1");
    const samples = await scrape(running.app.opsAddress ?? "");
    const [until = 0] = Object.values(
      countsOf(samples, "sentiment_certificate_expiry_timestamp_seconds"),
    );
    assert.equal(until, Date.parse(String(line?.["validUntil"])) / 1000);
  });

  it("is not taken for another by who trusts another CA", async () => {
    const running = await start();
    const client = await clientOf(running, undefined, await made.make("other-ca"));
    await assert.rejects(client.analyze(REQUEST), refused);
  });

  it("speaks TLS 1.3 and 1.2, nothing older, and HTTP/2 alone", async () => {
    const running = await start();
    await speaksModernTls(running.app.address);
    const web = tlsSocket(running.app.address, { ALPNProtocols: ["http/1.1"] });
    assert.match(
      String(await new Promise((resolve) => web.once("error", resolve))),
      /no application protocol/i,
    );
  });

  it("fails a client that speaks plaintext at once, and goes on", async () => {
    const running = await start();
    const channel = createChannel(running.app.address);
    opened.defer(() => channel.close());
    const plain = createClient(SentimentServiceDefinition, channel);
    await assert.rejects(plain.analyze(REQUEST), refused);
    assert.ok((await (await clientOf(running)).analyze(REQUEST)).sentiment);
  });

  it("closes connections that say nothing, or do not finish their handshake", async () => {
    const running = await start();
    const [host = "", port] = running.app.address.split(":");
    // The head of a record that never comes.
    const closes = [Buffer.alloc(0), Buffer.from([22, 3, 1, 2, 0])].map(async (bytes) => {
      const socket = connectTcp(Number(port), host).on("error", () => {});
      socket.write(bytes);
      await once(socket.resume(), "close");
    });
    await Promise.all(closes);
  });

  it("closes connections beyond MAX_CONNECTIONS before their handshake", async () => {
    const running = await start({ MAX_CONNECTIONS: "1" });
    const client = await clientOf(running);
    await client.analyze(REQUEST);
    const socket = tlsSocket(running.app.address);
    socket.once("secureConnect", () => assert.fail("it was let in"));
    await new Promise((resolve) => socket.once("close", resolve));
    assert.ok((await client.analyze(REQUEST)).sentiment);
    const refusals = countsOf(
      await scrape(running.app.opsAddress ?? ""),
      "sentiment_connections_refused_total",
    );
    assert.deepEqual(refusals, { "": 1 });
  });

  it("with TLS_CLIENT_CA lets those in whom the CA knows, and nobody else", async () => {
    const running = await start({ TLS_CLIENT_CA: ca.cert });
    const stranger = await made.make("stranger", { by: await made.make("strange-ca") });
    await assert.rejects((await clientOf(running)).analyze(REQUEST), refused);
    await assert.rejects((await clientOf(running, stranger)).analyze(REQUEST), refused);
    const known = await made.make("known", { by: ca });
    assert.ok((await (await clientOf(running, known)).analyze(REQUEST)).sentiment);
    const requests = countsOf(
      await scrape(running.app.opsAddress ?? ""),
      "sentiment_requests_total",
    );
    assert.deepEqual(requests, { "Analyze sentiment.v1.SentimentService OK": 1 });
  });

  it("takes in a CA that replaces the one of clients", async () => {
    const next = await made.make("next-ca");
    const clientCa = `${made.folder}/client-ca.pem`;
    await copyFile(ca.cert, clientCa);
    const running = await start({ TLS_CLIENT_CA: clientCa });
    const [old, fresh] = [
      await made.make("old-client", { by: ca }),
      await made.make("new-client", { by: next }),
    ];
    assert.ok((await (await clientOf(running, old)).analyze(REQUEST)).sentiment);
    await assert.rejects((await clientOf(running, fresh)).analyze(REQUEST), refused);
    await copyFile(next.cert, clientCa);
    await until(() => saidOf(running, "read again").length === 1);
    assert.ok((await (await clientOf(running, fresh)).analyze(REQUEST)).sentiment);
    await assert.rejects((await clientOf(running, old)).analyze(REQUEST), refused);
  });

  it("swaps its certificate under load with ever new connections, and no call is lost", async () => {
    const running = await start();
    const before = await fingerprint(running);
    const staying = await clientOf(running);
    let isLoaded = true;
    const calls = { fresh: 0, staying: 0 };
    const load = [
      ...Array.from({ length: 4 }, async () => {
        for (; isLoaded; calls.fresh++) {
          const { client, channel } = await tlsClient(running.app.address, ca);
          await client.analyze(REQUEST);
          channel.close();
        }
      }),
      (async () => {
        for (; isLoaded; calls.staying++) await staying.analyze(REQUEST);
      })(),
    ];
    // The key a second and more before its certificate: half replaced, it cannot be used.
    const next = await made.make("next", { by: ca });
    await rename(next.key, served.key);
    await until(() => saidOf(running, "the old ones stay").length === 1);
    assert.deepEqual(await fingerprint(running), before);
    await rename(next.cert, served.cert);
    await until(() => saidOf(running, "read again").length === 1);
    assert.equal((await fingerprint(running)).name, "next");
    const atSwap = { ...calls };
    await until(() => calls.fresh > atSwap.fresh + 20 && calls.staying > atSwap.staying + 20);
    isLoaded = false;
    await Promise.all(load);
    assert.equal(saidOf(running, "the old ones stay").length, 1);
    assert.ok(atSwap.fresh > 4, `${atSwap.fresh} calls before the swap`);
  });

  it("keeps its certificate when the files break, tells it once, and takes the mended ones", async () => {
    const running = await start();
    const before = await fingerprint(running);
    // At once: a file that is written step by step may change twice.
    await writeFile(`${served.cert}.new`, "-----BEGIN CERTIFICATE-----\n");
    await rename(`${served.cert}.new`, served.cert);
    await until(() => saidOf(running, "the old ones stay").length === 1);
    await sleep(1500);
    const [line, ...more] = saidOf(running, "the old ones stay");
    assert.deepEqual([line?.["level"], more], ["error", []]);
    assert.match(JSON.stringify(line), /TLS_CERT .*served.pem cannot be used/);
    assert.deepEqual(await fingerprint(running), before);
    assert.ok((await (await clientOf(running)).analyze(REQUEST)).sentiment);
    const mended = await made.make("mended", { by: ca });
    await copyFile(mended.key, served.key);
    await copyFile(mended.cert, served.cert);
    await until(() => saidOf(running, "read again").length === 1);
    assert.equal((await fingerprint(running)).name, "mended");
  });

  it("drains: what is under way is answered, and its connections are closed", async () => {
    const backend = heldBackend();
    const running = await runApp(tlsEnv(), { backend: () => backend });
    const client = await clientOf(running);
    const answer = client.analyze(REQUEST);
    while (backend.waiting === 0) await sleep(5);
    const idle = tlsSocket(running.app.address).resume();
    await once(idle, "secureConnect");
    const stopped = running[Symbol.asyncDispose]();
    backend.release();
    assert.ok((await answer).sentiment);
    await stopped;
  });
});
