import assert from "node:assert/strict";
import { once } from "node:events";
import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Status } from "nice-grpc";
import { Tier } from "../../server/gen/sentiment/v1/sentiment.js";
import { type Certificates, certificates, type Pair } from "../support/certificates.js";
import { type RepositoryCopy, repositoryCopy } from "../support/repository-copy.js";
import { runCommand, start, startServer } from "../support/server-process.js";
import { tlsClient, tlsSocket } from "../support/transport-clients.js";

const REQUEST = { text: "fine", tier: Tier.TIER_FAST, options: undefined };

describe("make run with TLS", function () {
  this.timeout(40_000);
  let made: Certificates;
  let ca: Pair;
  let served: Pair;
  let repository: RepositoryCopy;
  before(async () => {
    made = await certificates();
    repository = await repositoryCopy("fast");
    ca = await made.make("ca");
    served = await made.make("served", { by: ca });
  });
  after(async () => {
    await made[Symbol.asyncDispose]();
    await repository[Symbol.asyncDispose]();
  });
  const env = (files: Pair = served) => ({
    MODEL_REPOSITORY: repository.folder,
    DEFAULT_TIER: "fast",
    WARM_UP_FILE: "/dev/null",
    TLS_CERT: files.cert,
    TLS_KEY: files.key,
  });

  it("has mutual TLS in all processes, which take in a new certificate", async () => {
    await using server = await startServer({ ...env(), PROCESSES: "2", TLS_CLIENT_CA: ca.cert });
    const own = await made.make("client", { by: ca });
    const [cert, key] = [own.cert, own.key];
    /** Of connections that are dealt out in turn: so of both processes. */
    const names = async () => {
      const found: unknown[] = [];
      for (let count = 0; count < 2; count++) {
        const socket = tlsSocket(server.address);
        await once(socket, "secureConnect");
        found.push(socket.getPeerCertificate().subject.CN);
        socket.destroy();
      }
      return found;
    };
    const call = async (shown?: Pair) => {
      const { client, channel } = await tlsClient(server.address, ca, shown);
      try {
        return await client.analyze(REQUEST);
      } finally {
        channel.close();
      }
    };
    for (let count = 0; count < 4; count++) assert.ok((await call({ cert, key })).sentiment);
    for (let count = 0; count < 2; count++)
      await assert.rejects(call(), { code: Status.UNAVAILABLE });
    assert.deepEqual(await names(), ["served", "served"]);
    const next = await made.make("next", { by: ca });
    await copyFile(next.key, served.key);
    await copyFile(next.cert, served.cert);
    const reread = () => server.log.filter(({ msg }) => msg === "the certificate was read again");
    while (reread().length < 2) await sleep(50);
    assert.deepEqual(
      reread()
        .map((line) => line["process"])
        .sort(),
      [1, 2],
    );
    assert.deepEqual(await names(), ["next", "next"]);
    assert.ok((await call({ cert, key })).sentiment);
  });

  for (const [what, processes] of [
    ["one process", "1"],
    ["several", "2"],
  ] as const) {
    it(`does not start with files that do not fit, and names them (${what})`, async () => {
      const garbage = join(made.folder, "garbage.pem");
      await writeFile(garbage, "no certificate");
      const faultOf = async (files: Readonly<Record<string, string>>) => {
        const ports = { GRPC_PORT: "0", HTTP_PORT: "0", PROCESSES: processes };
        const { ended } = start(runCommand(), { ...env(), ...ports, ...files });
        const { code, stderr } = await ended;
        assert.equal(code, 1, stderr);
        return stderr;
      };
      assert.match(
        await faultOf({ TLS_KEY: ca.key }),
        /^sentiment: TLS cannot be served:\n {2}TLS_KEY .*ca.key is not the key of TLS_CERT/,
      );
      assert.match(
        await faultOf({ TLS_CERT: "none.pem", TLS_CLIENT_CA: garbage }),
        /TLS_CERT none.pem cannot be used.*\n {2}TLS_CLIENT_CA .*garbage.pem cannot be used/,
      );
    });
  }
});
