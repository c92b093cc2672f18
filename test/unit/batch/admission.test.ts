import assert from "node:assert/strict";
import { admit, type Backlog, waitOf } from "../../../server/batch/admission.js";
import { ServiceError } from "../../../server/core/errors.js";

const BACKLOG: Backlog = {
  aheadTokens: 1000,
  runningTokens: 200,
  ownTokens: 20,
  concurrency: 2,
  msPerToken: 0.1,
  drainMsPerToken: undefined,
};

describe("waitOf", () => {
  it("counts what is ahead, what runs, and the call itself, side by side", () => {
    assert.equal(waitOf(BACKLOG), ((1000 + 200 + 20) * 0.1) / 2);
  });

  it("goes by what has been done of late where that is slower than the model", () => {
    assert.equal(waitOf({ ...BACKLOG, drainMsPerToken: 0.2 }), (1000 + 200 + 20) * 0.2);
    assert.equal(waitOf({ ...BACKLOG, drainMsPerToken: 0.01 }), waitOf(BACKLOG));
  });

  it("is nothing while nothing is known", () => {
    assert.equal(waitOf({ ...BACKLOG, msPerToken: undefined }), 0);
  });
});

describe("admit", () => {
  let told = 0;
  beforeEach(() => {
    told = 0;
  });
  const refusalOf = (waitMs: number, mayWaitMs: number): ServiceError => {
    try {
      admit(waitMs, mayWaitMs, () => {
        told++;
      });
    } catch (error) {
      assert.ok(error instanceof ServiceError);
      return error;
    }
    throw new Error("it was admitted");
  };

  it("takes what makes it, to the last millisecond", () => {
    const refused = () => assert.fail("it was refused");
    admit(500, 500, refused);
    admit(0, 0, refused);
  });

  it("refuses what does not, and says when to come again", () => {
    const { reason, message, hints } = refusalOf(1700, 500);
    assert.equal(reason, "OVERLOADED");
    assert.match(message, /would take about 1\.7 s, and may take 0\.5 s/);
    assert.equal(hints.retryAfterMs, 1200);
    assert.equal(told, 1);
  });

  it("asks for a tenth of a second at least, and counts no time below nothing", () => {
    assert.equal(refusalOf(501, 500).hints.retryAfterMs, 100);
    const late = refusalOf(300, -200);
    assert.equal(late.hints.retryAfterMs, 300);
    assert.match(late.message, /may take 0\.0 s/);
  });
});
