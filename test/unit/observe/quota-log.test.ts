import assert from "node:assert/strict";
import { createLog } from "../../../server/observe/log.js";
import { quotaLog } from "../../../server/observe/quota-log.js";
import { FakeClock } from "../../support/fake-clock.js";

describe("the log of who is over a quota", () => {
  function logged() {
    const clock = new FakeClock();
    const lines: Record<string, unknown>[] = [];
    const log = createLog("info", { write: (line) => lines.push(JSON.parse(line)) });
    return { clock, lines, tell: quotaLog(log, clock) };
  }
  const over = (holder: string, isShadow = false) => ({ holder, tokensPerMinute: 60, isShadow });

  it("tells of each once a minute, and what came of it", () => {
    const { clock, lines, tell } = logged();
    for (let call = 0; call < 3; call++) tell(over("team"));
    tell(over("other", true));
    clock.advance(60_000);
    tell(over("team"));
    assert.deepEqual(
      lines.map(({ holder, tokensPerMinute, msg }) => [holder, tokensPerMinute, msg]),
      [
        ["team", 60, "over its quota: refused"],
        ["other", 60, "over its quota, and let in (QUOTA_MODE=shadow)"],
        ["team", 60, "over its quota: refused"],
      ],
    );
  });

  it("tells of ten in a minute at most", () => {
    const { lines, tell } = logged();
    for (let call = 0; call < 1000; call++) tell(over(`192.0.2.${call}`));
    assert.equal(lines.length, 10);
  });
});
