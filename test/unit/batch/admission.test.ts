import assert from "node:assert/strict";
import { tooLate } from "../../../server/batch/admission.js";

describe("tooLate", () => {
  it("takes what makes it, to the last millisecond", () => {
    assert.equal(tooLate(500, 500), undefined);
    assert.equal(tooLate(0, 0), undefined);
  });

  it("refuses what does not, and says when to come again", () => {
    const refusal = tooLate(1700, 500);
    assert.equal(refusal?.reason, "OVERLOADED");
    assert.match(refusal.message, /would take about 1\.7 s, and may take 0\.5 s/);
    assert.equal(refusal.hints.retryAfterMs, 1200);
  });

  it("asks for a tenth of a second at least, and counts no time below nothing", () => {
    assert.equal(tooLate(501, 500)?.hints.retryAfterMs, 100);
    const late = tooLate(300, -200);
    assert.equal(late?.hints.retryAfterMs, 300);
    assert.match(late.message, /may take 0 s/);
  });
});
