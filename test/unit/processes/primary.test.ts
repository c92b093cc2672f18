import assert from "node:assert/strict";
import { loadConfig } from "../../../server/config.js";
import { ServiceError, StartupError } from "../../../server/core/errors.js";
import { createLog } from "../../../server/observe/log.js";
import { Primary } from "../../../server/processes/primary.js";
import type { AdminCall } from "../../../server/rpc/across-processes.js";
import { FakeClock } from "../../support/fake-clock.js";
import { until } from "../../support/held-backend.js";
import { turn } from "../../support/recorder.js";
import { type ScriptedProcess, scriptedProcess } from "../../support/scripted-process.js";
import { someStatus } from "../../support/some-status.js";

const LIMIT = { limitMs: 60_000 };
const CLEAR: AdminCall = { name: "clearCache", request: { cache: 0, model: "" } };

describe("Primary", () => {
  let clock: FakeClock;
  let processes: ScriptedProcess[];
  let log: Record<string, unknown>[];
  let primary: Primary;
  beforeEach(() => {
    [clock, processes, log] = [new FakeClock(), [], []];
    const config = loadConfig({ PROCESSES: "3", GRPC_PORT: "0", HTTP_PORT: "0" });
    primary = new Primary(config, {
      clock,
      log: createLog("info", { write: (line) => log.push(JSON.parse(line)) }),
      fork: () => {
        const process = scriptedProcess(clock);
        processes.push(process);
        return process.forked;
      },
    });
  });
  afterEach(async () => {
    const ended = primary[Symbol.asyncDispose]();
    for (const { end } of processes) end("exit code 0");
    await ended;
  });

  const serve = (which: readonly ScriptedProcess[]) =>
    Promise.all(which.map(({ link }) => link.ask("serving", undefined, LIMIT)));
  async function started() {
    const starting = primary.start();
    await until(() => processes.length === 3);
    await serve(processes);
    await starting;
    const [one, two, three] = processes;
    assert.ok(one && two && three);
    return [one, two, three] as const;
  }
  async function ask(path: string, headers = {}) {
    const address = log.find(({ opsAddress }) => opsAddress)?.["opsAddress"];
    const response = await fetch(`http://${address}${path}`, { headers });
    return { status: response.status, text: await response.text() };
  }

  it("gives all of them one port, and tells its address when the last of them serves", async () => {
    const starting = primary.start();
    await until(() => processes.length === 3);
    const places = await Promise.all(
      processes.map(({ link }) => link.ask("begin", undefined, LIMIT)),
    );
    assert.deepEqual(
      places.map(({ number }) => number),
      [1, 2, 3],
    );
    const ports = new Set(places.map(({ grpcPort }) => grpcPort));
    await serve(processes.slice(1));
    const address = `127.0.0.1:${[...ports][0]}`;
    assert.ok(!log.some((line) => line["address"] === address));
    assert.equal((await ask("/readyz")).status, 200, "two serve already");
    await serve(processes.slice(0, 1));
    await starting;
    assert.equal(ports.size, 1);
    assert.ok(log.some((line) => line["address"] === address && line["processes"] === 3));
  });

  it("does not start where one of them says that it cannot, or just ends", async () => {
    const failing = assert.rejects(primary.start(), (error) => {
      assert.ok(error instanceof StartupError);
      assert.match(error.message, /^process 2 ended while it started \(exit code 134\)/);
      return true;
    });
    await until(() => processes.length === 3);
    await serve(processes.slice(2));
    processes[1]?.end("exit code 134");
    await failing;
    await primary[Symbol.asyncDispose]();
    for (const { forked } of processes) assert.match(await forked.ended, /SIGKILL|134/);
    clock.advance(60_000);
    assert.equal(processes.length, 3, "one was started after the end");
  });

  it("is ready while one of them is, and says why the others are not", async () => {
    const [one, two, three] = await started();
    one.calls.reasons = () => ["model not ready: sentiment_fast"];
    two.end("exit code 1");
    await turn();
    const ready = await ask("/readyz");
    assert.deepEqual(JSON.parse(ready.text), {
      ready: true,
      processes: [
        { process: 1, reasons: ["model not ready: sentiment_fast"] },
        { process: 2, reasons: ["died, is being replaced"] },
        { process: 3, reasons: [] },
      ],
    });
    three.calls.reasons = () => ["draining"];
    const { status, text } = await ask("/readyz");
    assert.deepEqual([status, JSON.parse(text).ready], [503, false]);
  });

  it("tells the status of each, or why it is not known", async () => {
    const [one, two, three] = await started();
    one.calls.status = () => someStatus({ queued: { rows: 9, tokens: 90 } });
    two.end("exit code 1");
    three.calls.status = () => {
      throw new ServiceError("PROCESS_DOWN", "It is starting: call again.");
    };
    await turn();
    const status = JSON.parse((await ask("/status", { accept: "application/json" })).text);
    assert.equal(status.settings.PROCESSES, "3");
    assert.deepEqual(status.processes, [
      { process: 1, ...someStatus({ queued: { rows: 9, tokens: 90 } }) },
      { process: 2, fault: "It has died, and is being replaced: call again." },
      { process: 3, fault: "It is starting: call again." },
    ]);
  });

  it("asks its processes once for all who ask at once", async () => {
    const [one] = await started();
    const { promise: held, resolve } = Promise.withResolvers<void>();
    let asked = 0;
    one.calls.metrics = async () => {
      asked++;
      await held;
      return [];
    };
    const scrapes = Array.from({ length: 40 }, () => ask("/metrics"));
    await until(() => asked > 0);
    assert.equal((await ask("/readyz")).status, 200);
    assert.equal(JSON.parse((await ask("/readyz")).text).processes[0].reasons.length, 0);
    resolve();
    for (const { status } of await Promise.all(scrapes)) assert.equal(status, 200);
    assert.equal(asked, 1);
    await ask("/metrics");
    assert.equal(asked, 2);
  });

  it("waits two seconds for a scrape", async () => {
    const [one] = await started();
    let asked = false;
    one.calls.metrics = () => {
      asked = true;
      return new Promise(() => {});
    };
    const scraping = ask("/metrics");
    await until(() => asked);
    // The others have answered by then.
    for (let hop = 0; hop < 4; hop++) await turn();
    clock.advance(2000);
    const { status, text } = await scraping;
    assert.equal(status, 200);
    assert.match(text, /^sentiment_process_late_total 1$/m);
    assert.match(text, /^sentiment_processes\{state="serving"\} 3$/m);
  });

  it("has the others do what one was asked for, and tells what came of it in each", async () => {
    const [one, two, three] = await started();
    one.calls.admin = () => assert.fail("it was asked for what it has done itself");
    two.calls.admin = async () => ({ cleared: 5 });
    three.calls.admin = () => Promise.reject(new ServiceError("BACKEND_DOWN", "no triton"));
    assert.deepEqual(await one.link.ask("others", CLEAR, LIMIT), [
      { number: 2, counts: { cleared: 5 } },
      { number: 3, fault: { reason: "BACKEND_DOWN", message: "no triton" } },
    ]);
    two.end("SIGKILL");
    await turn();
    const message = "It has died, and is being replaced: call again.";
    const [outcome] = await one.link.ask("others", CLEAR, LIMIT);
    assert.deepEqual(outcome, { number: 2, fault: { reason: "PROCESS_DOWN", message } });
  });

  it("waits no longer for the others than a call may take, and gives up for a caller that leaves", async () => {
    const [one, two] = await started();
    const signals: AbortSignal[] = [];
    two.calls.admin = (_call, signal) => {
      signals.push(signal);
      return new Promise(() => {});
    };
    const asking = one.link.ask("others", CLEAR, LIMIT);
    await until(() => signals.length === 1);
    for (let second = 0; second < 32; second++) {
      clock.advance(1000);
      // It still answers other questions.
      for (let hop = 0; hop < 4; hop++) await turn();
    }
    const [outcome] = await asking;
    const message = "No answer within 32 s.";
    assert.deepEqual(outcome, { number: 2, fault: { reason: "DEADLINE", message } });

    const leaving = new AbortController();
    const left = one.link.ask("others", CLEAR, { ...LIMIT, signal: leaving.signal });
    await until(() => signals.length === 2);
    leaving.abort(new Error("left"));
    await assert.rejects(left, /left/);
    await until(() => signals[1]?.aborted === true);
  });

  it("drains all, and ends with the last", async () => {
    const [one, two, three] = await started();
    let over = false;
    const ended = primary[Symbol.asyncDispose]().then(() => {
      over = true;
    });
    await until(() => one.drains && two.drains && three.drains);
    assert.equal((await ask("/readyz")).status, 503);
    one.end("exit code 0");
    two.end("exit code 0");
    await turn();
    assert.equal(over, false);
    three.end("exit code 0");
    await ended;
    assert.equal(log.at(-1)?.["msg"], "stopped");
  });
});
