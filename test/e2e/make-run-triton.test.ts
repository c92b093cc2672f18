import assert from "node:assert/strict";
import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePorts, refuseTakenPorts } from "../support/ports.js";
import { membersOf } from "../support/process-group.js";
import { type ServerProcess, startServer } from "../support/server-process.js";

describe("make run-triton", function () {
  this.timeout(60_000);
  let repository: string;
  let ports: readonly number[];
  let server: ServerProcess;
  let triton: number;
  before(async () => {
    repository = await mkdtemp(join(tmpdir(), "sentiment-models-"));
    await cp("triton-model-repo/sentiment_fast", join(repository, "sentiment_fast"), {
      recursive: true,
    });
  });
  after(() => rm(repository, { recursive: true }));
  beforeEach(async () => {
    ports = await freePorts(3);
    const [http, grpc, metrics] = ports.map(String);
    const env = {
      // What is tested here is how both start and end; the server needs no Triton for that.
      BACKEND: "triton",
      MODEL_REPOSITORY: repository,
      DEFAULT_TIER: "fast",
      TRITON_HTTP_PORT: http ?? "",
      TRITON_GRPC_PORT: grpc ?? "",
      TRITON_METRICS_PORT: metrics ?? "",
    };
    server = await startServer(env, "run-triton");
    triton = await processWith(`--grpc-port=${grpc}`);
  });
  afterEach(() => server[Symbol.asyncDispose]());

  async function nothingIsLeft() {
    assert.deepEqual(await membersOf(triton), []);
    await refuseTakenPorts([...ports, Number(server.address.split(":").at(-1))]);
    const shared = await readdir("/dev/shm");
    assert.ok(!shared.some((name) => name.startsWith(`sentiment-triton-${triton}-`)));
  }

  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    it(`serves, and ends with Triton and all at ${signal}`, async () => {
      server.child.kill(signal);
      const { code, stdout } = await server.ended;
      assert.equal(code, 0);
      assert.equal(JSON.parse(stdout.trim().split("\n").at(-1) ?? "").msg, "stopped");
      await nothingIsLeft();
    });
  }

  it("ends the server when Triton dies", async () => {
    process.kill(triton, "SIGKILL");
    const { code, stderr } = await server.ended;
    assert.equal(code, 1);
    assert.match(stderr, /Triton has ended \(exit code SIGKILL\)/);
    await nothingIsLeft();
  });

  it("leaves neither when it is killed itself", async () => {
    server.child.kill("SIGKILL");
    await server.ended;
    while ((await membersOf(triton)).length > 0) await sleep(50);
    await nothingIsLeft();
  });
});

/** The process that was started with this argument. */
async function processWith(argument: string): Promise<number> {
  for (const name of await readdir("/proc")) {
    const command = await readFile(`/proc/${name}/cmdline`, "utf8").catch(() => "");
    if (command.split("\0").includes(argument)) return Number(name);
  }
  return assert.fail(`no process has ${argument}`);
}
