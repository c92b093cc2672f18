import assert from "node:assert/strict";
import { callLog } from "../../../server/observe/call-log.js";
import { createLog } from "../../../server/observe/log.js";
import { FakeClock } from "../../support/fake-clock.js";

const SLOW = 1000;

describe("the log of calls", () => {
  let drawn: number;
  let lines: Record<string, unknown>[];
  let clock: FakeClock;
  beforeEach(() => {
    [drawn, lines, clock] = [0.5, [], new FakeClock()];
  });
  const at = (level: string) =>
    callLog(
      createLog(level, { write: (line) => lines.push(JSON.parse(line)) }),
      { sample: 0.01, slowMs: SLOW },
      clock,
      () => drawn,
    );

  it("tells at info of a sample, of slow calls and of those that failed by the server's fault", () => {
    const log = at("info");
    assert.equal(log.levelOf(false, 5), undefined);
    drawn = 0.009;
    assert.equal(log.levelOf(false, 5), "info");
    drawn = 0.01;
    assert.equal(log.levelOf(false, 5), undefined);
    assert.equal(log.levelOf(false, SLOW), "info");
    assert.equal(log.levelOf(true, 5), "warn");
  });

  it("tells of ten failed calls a second, and then how many it left out", () => {
    const log = at("info");
    const fail = () => {
      const level = log.levelOf(true, 5);
      if (level !== undefined) log.write(level, { ms: 5 });
    };
    for (let call = 0; call < 25; call++) fail();
    assert.equal(lines.length, 10);
    clock.advance(1000);
    for (let call = 0; call < 2; call++) fail();
    assert.deepEqual(
      lines.slice(10).map(({ omitted }) => omitted),
      [15, undefined],
    );
  });

  it("tells at debug of all", () => {
    const log = at("debug");
    assert.equal(log.levelOf(false, 5), "debug");
    assert.equal(log.levelOf(false, SLOW), "info");
    assert.equal(log.levelOf(true, 5), "warn");
  });

  it("tells above info of failed ones at most", () => {
    drawn = 0;
    assert.deepEqual(
      [at("warn").levelOf(true, 5), at("warn").levelOf(false, SLOW)],
      ["warn", undefined],
    );
    assert.deepEqual(
      [at("error").levelOf(true, 5), at("error").levelOf(false, 5)],
      [undefined, undefined],
    );
  });

  it("writes one line a call, with what it is given", () => {
    const log = at("debug");
    log.write("debug", { ms: 5 });
    log.write("info", { ms: SLOW });
    log.write("info", { ms: 5 });
    log.write("warn", { ms: SLOW });
    assert.deepEqual(
      lines.map(({ level, msg, ms }) => [level, msg, ms]),
      [
        ["debug", "call", 5],
        ["info", "slow call", SLOW],
        ["info", "call", 5],
        ["warn", "call failed", SLOW],
      ],
    );
  });
});
