import assert from "node:assert/strict";
import { type FuzzedServer, startFuzzedServer } from "./fuzzed-server.js";
import { KINDS } from "./kinds.js";
import { besiege, type Siege } from "./siege.js";

const PLAN = {
  seed: 1,
  first: 0,
  calls: 15_000,
  kinds: undefined,
  warmUp: 2_000,
  restMs: 20_000,
  // What V8 takes for a while and gives back only later than this can wait: `make fuzz` waits, and is stricter.
  mostGrowth: 0.5,
};

/** README.md, "Known". */
const NODES_OWN = /Assertion failed: \(current_nghttp2_memory_\) == \(0\)/;

describe("a server that is fuzzed", function () {
  this.timeout(180_000);
  let fuzzed: FuzzedServer;
  let siege: Siege;
  const run = async () => {
    fuzzed = await startFuzzedServer();
    siege = await besiege(fuzzed, PLAN);
  };
  before(async () => {
    await run();
    const { child, ended } = fuzzed.server;
    const isGone = child.exitCode !== null || child.signalCode !== null;
    // What that cut short says nothing of us, so it is done again; a second time is too often.
    if (isGone && NODES_OWN.test((await ended).stderr)) await run();
  });
  after(() => fuzzed[Symbol.asyncDispose]());

  it("gives every call an end, and no call a bug, and is afterwards as it was before", () => {
    assert.deepEqual(siege.faults, []);
    assert.equal(siege.report.calls, PLAN.calls);
  });

  it("answers who does nothing wrong, meanwhile", () => {
    const { calls, refused } = siege.canary;
    assert.ok(calls > 20, `${calls} calls`);
    assert.ok(refused <= calls / 10, `${refused} of ${calls} calls were refused`);
  });

  it("has met all that it was to meet", () => {
    for (const { name, weight } of KINDS) {
      if (weight >= 20) assert.match(siege.report.table, new RegExp(`^\\| ${name} \\| `, "m"));
    }
    assert.ok(siege.report.countOf("valid", "OK") > 500);
    assert.ok(siege.report.countOf("frames", "alive") > 10);
    assert.ok(siege.report.countOf("headers", "UNAUTHENTICATED") > 10);
  });

  it("says nothing that is not a line of its log", async () => {
    await fuzzed[Symbol.asyncDispose]();
    const { code, stderr } = await fuzzed.server.ended;
    assert.deepEqual([code, stderr], [0, ""]);
  });
});
