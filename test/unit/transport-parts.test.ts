import assert from "node:assert/strict";
import { copyFile } from "node:fs/promises";
import { loadConfig } from "../../server/config.js";
import { createLog } from "../../server/observe/log.js";
import { createRegistry } from "../../server/observe/metrics.js";
import { transportMetrics } from "../../server/observe/transport-metrics.js";
import { openTransport, transportEvents } from "../../server/transport-parts.js";
import { type Certificates, certificates } from "../support/certificates.js";
import { FakeClock } from "../support/fake-clock.js";
import { until } from "../support/held-backend.js";

interface Line {
  readonly level: string;
  readonly msg: string;
  readonly names?: string;
  readonly validUntil?: string;
  readonly refused?: number;
}

describe("the parts of the transport", function () {
  this.timeout(20_000);
  let clock: FakeClock;
  let lines: Line[];
  let made: Certificates;
  const log = createLog("info", { write: (line) => lines.push(JSON.parse(line)) });
  before(async () => {
    made = await certificates();
  });
  after(() => made[Symbol.asyncDispose]());
  beforeEach(() => {
    clock = new FakeClock();
    lines = [];
  });

  const open = (env: Readonly<Record<string, string>>, nowMs = Date.now) => {
    const registry = createRegistry();
    const metrics = transportMetrics(registry);
    const expiry = async () =>
      /^sentiment_certificate_expiry_timestamp_seconds (\d+)/m.exec(await registry.metrics())?.[1];
    return { opened: openTransport(loadConfig(env), clock, log, metrics, nowMs), expiry };
  };
  const warnings = () => lines.filter(({ level }) => level === "warn").map(({ msg }) => msg);

  it("have no TLS, and say nothing of it, where none is set", async () => {
    const { opened, expiry } = open({});
    assert.equal(await opened, undefined);
    assert.deepEqual([lines, await expiry()], [[], undefined]);
  });

  it("say whose certificate is served and until when, at the start and when it is replaced, and warn in time", async () => {
    const old = await made.make("old", { days: 3, names: "DNS:old" });
    const fresh = await made.make("fresh", { days: 60, names: "DNS:fresh" });
    const { opened, expiry } = open({ TLS_CERT: old.cert, TLS_KEY: old.key });
    using _tls = await opened;
    assert.deepEqual(
      lines.map(({ msg, names }) => [msg, names]),
      [
        ["the certificate that is served", "DNS:old"],
        ["the certificate expires in 3 days: replace it", "DNS:old"],
      ],
    );
    const first = Number(await expiry());
    assert.equal(first, Date.parse(lines[0]?.validUntil ?? "") / 1000);
    await copyFile(fresh.key, old.key);
    await copyFile(fresh.cert, old.cert);
    clock.advance(1000);
    await until(() => lines.length === 3);
    assert.deepEqual(
      [lines[2]?.msg, lines[2]?.names],
      ["the certificate was read again", "DNS:fresh"],
    );
    assert.ok(Number(await expiry()) > first + 50 * 24 * 3600);
    assert.equal(warnings().length, 1);
  });

  it("serve a certificate that has expired, and say so", async () => {
    const past = await made.make("past", { days: 1 });
    const env = { TLS_CERT: past.cert, TLS_KEY: past.key };
    const { opened } = open(env, () => Date.now() + 2 * 24 * 3600 * 1000);
    using _tls = await opened;
    assert.deepEqual(warnings(), ["the certificate has expired: clients refuse it; replace it"]);
  });

  it("tell of refused connections once in ten seconds, with how many there were", () => {
    const metrics = transportMetrics(createRegistry());
    const { refused } = transportEvents(loadConfig({}), clock, log, metrics);
    for (let count = 0; count < 3; count++) refused();
    clock.advance(9999);
    refused();
    clock.advance(1);
    refused();
    assert.deepEqual(
      lines.map((line) => line.refused),
      [1, 4],
    );
  });
});
