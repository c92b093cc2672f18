/** What nginx says itself, with the recommended files, is what the REST bridge would say, by REST as by gRPC. Needs `make gateway` before. */
import assert from "node:assert/strict";
import { createClient, Status } from "nice-grpc";
import {
  AdminServiceDefinition,
  type SentimentServiceClient,
  Tier,
} from "../../server/gen/sentiment/v1/sentiment.js";
import { type Bridge, startBridge } from "../support/bridge-process.js";
import { type HttpAnswer, type HttpsClient, httpsClient } from "../support/https-client.js";
import {
  type Behind,
  checkRecommended,
  type NginxServer,
  startNginx,
} from "../support/nginx-server.js";
import { freePorts } from "../support/ports.js";
import { type Failure, failureOf } from "../support/status-details.js";
import { speaksModernTls, type TlsClient, tlsClient } from "../support/transport-clients.js";

const TOO_LARGE = 10 * 2 ** 20 + 1;
const request = (text: string) => ({ text, tier: Tier.TIER_FAST, options: undefined });
const BODY = JSON.stringify({ text: "fine" });

describe("what nginx says itself", function () {
  this.timeout(60_000);
  let left: AsyncDisposableStack;
  let bridge: Bridge;
  let nginx: NginxServer;
  let grpc: TlsClient;
  let rest: HttpsClient;

  /** nginx and clients of it, before servers and bridges that are not there. */
  async function behindNobody(more: Behind = {}) {
    const [front, other, gone] = (await freePorts(3)).map((port) => `127.0.0.1:${port}`);
    const fronts = [front ?? "", other ?? ""];
    const started = left.use(await startNginx({ fronts, bridges: [gone ?? ""], ...more }));
    const tls = await tlsClient(started.secureAddress, started.certificate);
    left.defer(() => tls.channel.close());
    const https = left.use(await httpsClient(started.secureAddress, started.certificate.cert));
    return { fronts, nginx: started, grpc: tls, rest: https };
  }
  before(async () => {
    left = new AsyncDisposableStack();
    const all = await behindNobody();
    ({ nginx, grpc, rest } = all);
    bridge = left.use(await startBridge(all.fronts[0] ?? ""));
  });
  after(() => left.disposeAsync());

  /** What the bridge itself says to the same. */
  async function ofBridge(path: string, body?: string): Promise<HttpAnswer> {
    const method = body === undefined ? "GET" : "POST";
    const url = `http://127.0.0.1:${bridge.port}${path}`;
    const answer = await fetch(url, body === undefined ? {} : { method, body });
    const headers = Object.fromEntries(answer.headers);
    return { status: answer.status, headers, body: await answer.text() };
  }
  async function saysTheSame(path: string, body?: string): Promise<HttpAnswer> {
    const [said, own] = [await rest.ask(path, body), await ofBridge(path, body)];
    assert.equal(said.status, own.status);
    assert.deepEqual(JSON.parse(said.body), JSON.parse(own.body));
    for (const name of ["content-type", "retry-after", "x-content-type-options"])
      assert.equal(said.headers[name], own.headers[name], name);
    return said;
  }

  it("the files can be read as they are", async function () {
    // To listen on port 443.
    if (process.getuid?.() !== 0) return this.skip();
    assert.match(await checkRecommended(), /test is successful/);
  });

  it("no server, no bridge: SERVER_DOWN, to be tried again", async () => {
    const said = await saysTheSame("/api/analyze", BODY);
    assert.equal(said.status, 503);
    const failure = await failureOf((options) => grpc.client.analyze(request("fine"), options));
    assert.deepEqual([failure.code, failure.reason], [Status.UNAVAILABLE, "SERVER_DOWN"]);
    assert.deepEqual(failure, failureIn(said));
    assert.deepEqual(await streamFailure(grpc.client), failureIn(said));
  });

  it("a body over 10 MiB: BODY_TOO_LARGE", async () => {
    const text = "a".repeat(TOO_LARGE);
    const said = await saysTheSame("/api/analyze", text);
    assert.equal(said.status, 413);
    const failure = await failureOf((options) => grpc.client.analyze(request(text), options));
    assert.deepEqual([failure.code, failure.reason], [Status.RESOURCE_EXHAUSTED, "BODY_TOO_LARGE"]);
    assert.deepEqual(failure, failureIn(said));
  });

  it("a limit of calls that somebody has added: RATE_LIMITED, to be tried again", async () => {
    const more = `limit_req_zone $binary_remote_addr zone=few:1m rate=1r/m;
      limit_req zone=few;
      limit_req_status 429;`;
    const limited = await behindNobody({ more });
    await limited.rest.ask("/api/analyze", BODY);
    const said = await limited.rest.ask("/api/analyze", BODY);
    assert.equal(said.status, 429);
    assert.equal(said.headers["retry-after"], "1");
    const failure = await failureOf((options) =>
      limited.grpc.client.analyze(request("fine"), options),
    );
    assert.deepEqual([failure.code, failure.reason], [Status.RESOURCE_EXHAUSTED, "RATE_LIMITED"]);
    assert.deepEqual(failure, failureIn(said));
    assert.deepEqual(await streamFailure(limited.grpc.client), failureIn(said));
  });

  for (const path of ["/metrics", "/livez", "/nothing"])
    it(`${path}: there is nothing here`, async () => {
      const [said, own] = [await rest.ask(path), await ofBridge("/nothing")];
      assert.deepEqual([said.status, JSON.parse(said.body)], [404, JSON.parse(own.body)]);
    });

  it("AdminService: UNIMPLEMENTED", async () => {
    const admin = createClient(AdminServiceDefinition, grpc.channel);
    await assert.rejects(admin.getStatus({}), { code: Status.UNIMPLEMENTED });
  });

  it("what cannot be read, or is too large: in JSON", async () => {
    const fault = async (path: string, options: Parameters<HttpsClient["ask"]>[2]) => {
      const { status, body } = await rest.ask(path, undefined, options);
      return [status, reasonIn(body)];
    };
    assert.deepEqual(await fault("/%zz", {}), [400, "REQUEST_INVALID"]);
    assert.deepEqual(await fault(`/${"a".repeat(40_000)}`, {}), [400, "REQUEST_INVALID"]);
    assert.deepEqual(await fault("/api/models", { headers: { x: "a".repeat(40_000) } }), [
      431,
      "METADATA_TOO_LARGE",
    ]);
    assert.deepEqual(await fault("/api/models", { method: "TRACE" }), [405, "METHOD_NOT_ALLOWED"]);
    const plain = await fetch(`http://${nginx.secureAddress}/api/models`);
    assert.equal(reasonIn(await plain.text()), "REQUEST_INVALID");
  });

  it("HTTP leads to HTTPS, with method and body", async () => {
    const url = `http://${nginx.httpAddress}/api/analyze?a=b`;
    const { status, headers } = await fetch(url, {
      method: "POST",
      body: BODY,
      redirect: "manual",
    });
    assert.deepEqual([status, headers.get("location")], [308, "https://127.0.0.1/api/analyze?a=b"]);
    assert.equal(headers.get("server"), "nginx");
  });

  it("speaks TLS 1.3 and 1.2, nothing older", async () => {
    await speaksModernTls(nginx.secureAddress);
  });
});

const streamFailure = (client: SentimentServiceClient): Promise<Failure> =>
  failureOf(async (options) => {
    async function* requests() {
      yield { id: "1", ...request("fine") };
    }
    for await (const answer of client.analyzeStream(requests(), options)) assert.fail(answer.id);
  });

interface Fault {
  readonly code: number;
  readonly message: string;
  readonly details: readonly {
    readonly reason?: string;
    readonly domain?: string;
    readonly retryDelay?: string;
  }[];
}

/** The JSON of a google.rpc.Status, as a client of gRPC reads one. */
function failureIn({ body }: HttpAnswer): Failure {
  const { code, message, details }: Fault = JSON.parse(body);
  const delay = details.find(({ retryDelay }) => retryDelay)?.retryDelay;
  return {
    code,
    message,
    reason: details[0]?.reason,
    domain: details[0]?.domain,
    fields: [],
    retryAfterSeconds: delay === undefined ? undefined : Number.parseInt(delay, 10),
  };
}

const reasonIn = (body: string) => (JSON.parse(body) as Fault).details[0]?.reason;
