import assert from "node:assert/strict";
import { callLog } from "../../../server/observe/call-log.js";
import { createLog } from "../../../server/observe/log.js";

const SLOW = 1000;

describe("the log of calls", () => {
  let drawn: number;
  let lines: Record<string, unknown>[];
  beforeEach(() => {
    [drawn, lines] = [0.5, []];
  });
  const at = (level: string) =>
    callLog(
      createLog(level, { write: (line) => lines.push(JSON.parse(line)) }),
      { sample: 0.01, slowMs: SLOW },
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
