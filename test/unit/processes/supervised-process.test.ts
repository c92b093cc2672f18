import assert from "node:assert/strict";
import { SupervisedProcess } from "../../../server/processes/supervised-process.js";
import { FakeClock } from "../../support/fake-clock.js";
import { turn } from "../../support/recorder.js";
import { type ScriptedProcess, scriptedProcess } from "../../support/scripted-process.js";

const LIMIT = { limitMs: 1000 };
const PLACE = { number: 1, grpcPort: 50051, weights: undefined };

describe("SupervisedProcess", () => {
  let clock: FakeClock;
  let events: string[];
  let started: ScriptedProcess[];
  let failing: boolean;
  let stuck: boolean;
  let supervised: SupervisedProcess;
  const last = () => started.at(-1) ?? assert.fail("none was started");

  const fork = () => {
    if (failing) throw new Error("no memory");
    const process = scriptedProcess(clock);
    process.calls.reasons = () => (stuck ? new Promise<never>(() => {}) : []);
    started.push(process);
    return process.forked;
  };
  const serve = async () => {
    await last().link.ask("serving", undefined, LIMIT);
  };
  const die = async (how = "exit code 1") => {
    last().end(how);
    await turn();
  };

  beforeEach(() => {
    [clock, events, started, failing, stuck] = [new FakeClock(), [], [], false, false];
    const calls = { begin: () => PLACE, others: async () => [], quota: async () => [] };
    supervised = new SupervisedProcess(1, fork, calls, clock, {
      serving: () => events.push("serving"),
      died: (how, fault, restMs) => events.push(`died ${fault ?? how} ${restMs}`),
      cut: (why) => events.push(`cut ${why}`),
      report: (error) => events.push(String(error)),
    });
  });

  it("tells the process its place, and learns that it serves", async () => {
    assert.deepEqual(await last().link.ask("begin", undefined, LIMIT), PLACE);
    assert.equal(supervised.state, "starting");
    await serve();
    assert.equal(supervised.state, "serving");
    assert.deepEqual(events, ["serving"]);
  });

  it("replaces one that dies, ever later while it dies at once", async () => {
    for (const restMs of [100, 200, 400, 800, 1600, 3200, 5000, 5000]) {
      const before = started.length;
      await die();
      assert.equal(events.at(-1), `died exit code 1 ${restMs}`);
      assert.equal(supervised.state, "resting");
      assert.equal(supervised.link, undefined);
      clock.advance(restMs - 1);
      assert.equal(started.length, before, "it did not rest");
      clock.advance(1);
      assert.equal(started.length, before + 1);
    }
    await serve();
    clock.advance(9999);
    await die();
    assert.equal(events.at(-1), "died exit code 1 5000", "it had not served for long");
    clock.advance(5000);
    await serve();
    clock.advance(10_000);
    await die("SIGKILL");
    assert.equal(events.at(-1), "died SIGKILL 100");
  });

  it("tells why one could not start, as it said itself; and one that cannot be forked", async () => {
    await last().link.ask("failed", "the model is gone", LIMIT);
    await die();
    assert.equal(events.at(-1), "died the model is gone 100");
    failing = true;
    clock.advance(100);
    assert.equal(events.at(-1), "died it could not be started: no memory 200");
    failing = false;
    clock.advance(200);
    await die();
    assert.equal(events.at(-1), "died exit code 1 400", "the old fault was told again");
  });

  /** As many looks as seconds, with the CPU time that it takes in each. */
  const look = async (seconds: number, cpuMs: number | undefined) => {
    for (let second = 0; second < seconds; second++) {
      if (cpuMs !== undefined) last().cpuMs = (last().cpuMs ?? 0) + cpuMs;
      clock.advance(1000);
      // To the process and back.
      for (let hop = 0; hop < 4; hop++) await turn();
    }
  };

  it("ends one that neither answers nor does anything for three looks, and starts the next", async () => {
    await serve();
    await look(10, 0);
    stuck = true;
    // The one under way was answered.
    await look(3, 0);
    await look(1, 500);
    assert.deepEqual(events, ["serving"], "it was ended too soon");
    await look(2, 10);
    assert.deepEqual(events, ["serving"], "what it did before does not count");
    await look(1, 0);
    assert.deepEqual(events, ["serving", "cut stopped", "died SIGKILL 100"]);
  });

  for (const [how, cpuMs] of [
    ["that is busy", 500],
    ["of which nobody knows what it does", undefined],
  ] as const) {
    it(`ends one ${how} once it has answered nothing for half a minute`, async () => {
      await serve();
      await look(2, cpuMs);
      stuck = true;
      // The one under way was answered.
      await look(30, cpuMs);
      assert.deepEqual(events, ["serving"]);
      await look(1, cpuMs);
      assert.deepEqual(events, ["serving", "cut busy", "died SIGKILL 100"]);
    });
  }

  it("takes one for stuck for nothing that others have asked of it, and tells it to drain all the same", async () => {
    await serve();
    last().calls.metrics = () => new Promise<never>(() => {});
    const scrapes = Array.from({ length: 100 }, () => {
      const { link } = supervised;
      return link?.ask("metrics", undefined, { limitMs: 3_600_000 }).catch(() => {});
    });
    await look(60, 500);
    assert.deepEqual(events, ["serving"]);
    const drained = supervised.drain(5000);
    for (let hop = 0; hop < 4; hop++) await turn();
    assert.equal(last().drains, true);
    await die("exit code 0");
    await Promise.all([drained, ...scrapes]);
  });

  it("ends one that does not serve within ten minutes of its start", async () => {
    clock.advance(599_999);
    assert.deepEqual(events, []);
    clock.advance(1);
    await turn();
    assert.deepEqual(events, ["cut unstarted", "died SIGKILL 100"]);
    clock.advance(100);
    await serve();
    await look(601, 0);
    assert.deepEqual(events.slice(2), ["serving"]);
  });

  it("drains what serves, and replaces it no more", async () => {
    await serve();
    const drained = supervised.drain(5000);
    await turn();
    await turn();
    assert.equal(last().drains, true);
    await die("exit code 0");
    await drained;
    assert.deepEqual(events, ["serving"]);
    assert.equal(clock.pending, 0);
  });

  it("ends one that does not drain in time", async () => {
    await serve();
    const drained = supervised.drain(5000);
    clock.advance(5000);
    await drained;
    assert.deepEqual(events, ["serving", "cut undrained"]);
  });

  it("ends what starts, and what rests, at once", async () => {
    await supervised.drain(5000);
    assert.equal(last().drains, false);
    assert.deepEqual(events, []);
    assert.equal(started.length, 1);
  });

  it("does not start another one after the end", async () => {
    await die();
    await supervised.end();
    clock.advance(60_000);
    assert.equal(started.length, 1);
  });
});
