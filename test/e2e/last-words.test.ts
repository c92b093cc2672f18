import assert from "node:assert/strict";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { faultOnSignal } from "../support/faulty-server.js";
import { childrenOf } from "../support/process-group.js";
import { type RepositoryCopy, repositoryCopy } from "../support/repository-copy.js";
import { type ServerProcess, startServer } from "../support/server-process.js";

describe("a process that cannot go on", function () {
  this.timeout(30_000);
  let repository: RepositoryCopy;
  before(async () => {
    repository = await repositoryCopy("fast");
  });
  after(() => repository[Symbol.asyncDispose]());
  const start = (env: Readonly<Record<string, string>>) =>
    startServer({
      MODEL_REPOSITORY: repository.folder,
      DEFAULT_TIER: "fast",
      WARM_UP_FILE: "/dev/null",
      ...env,
    });
  const fatalOf = ({ log }: ServerProcess) => log.filter(({ level }) => level === "fatal");

  for (const [fault, origin] of [
    ["throw", "uncaughtException"],
    ["reject", "unhandledRejection"],
  ] as const) {
    it(`tells why in its log, and ends with exit code 1 (${origin})`, async () => {
      const server = await start(faultOnSignal(fault));
      server.child.kill("SIGUSR2");
      const { code } = await server.ended;
      assert.equal(code, 1);
      const [line, ...more] = fatalOf(server);
      assert.equal(more.length, 0);
      assert.equal(line?.["origin"], origin);
      assert.match(JSON.stringify(line?.["err"]), /(thrown|rejected) by a test/);
    });
  }

  it("is replaced where it is one of several, and the others go on", async () => {
    await using server = await start({ ...faultOnSignal("throw"), PROCESSES: "2" });
    const before = await childrenOf(server.child.pid ?? 0);
    process.kill(before[0] ?? 0, "SIGUSR2");
    while (!server.log.some(({ msg }) => msg === "process replaced")) await sleep(20);
    const [line, ...more] = fatalOf(server);
    assert.deepEqual([line?.["pid"], more.length], [before[0], 0]);
    const died = server.log.find(({ how }) => how !== undefined);
    assert.equal(died?.["how"], "exit code 1");
    const now = await childrenOf(server.child.pid ?? 0);
    assert.ok(now.includes(before[1] ?? 0) && now.length === 2);
  });

  it("is ended by its watchdog when its event loop is stuck", async () => {
    const server = await start({ ...faultOnSignal("hang"), WATCHDOG_SECONDS: "2" });
    server.child.kill("SIGUSR2");
    const [code, signal] = await once(server.child, "exit");
    assert.deepEqual([code, signal], [null, "SIGKILL"]);
    const { stderr } = await server.ended;
    const line = JSON.parse(stderr);
    assert.equal(line.level, "fatal");
    assert.match(line.msg, /^the event loop has been stuck for 2 s: /);
  });

  it("is left alone by its watchdog when it was only stopped", async () => {
    await using server = await start({ WATCHDOG_SECONDS: "1" });
    server.child.kill("SIGSTOP");
    await sleep(4000);
    server.child.kill("SIGCONT");
    await sleep(2500);
    const { status } = await fetch(`http://${server.opsAddress}/livez`);
    assert.equal(status, 200);
  });
});
