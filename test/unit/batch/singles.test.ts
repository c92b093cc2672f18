import assert from "node:assert/strict";
import { Singles } from "../../../server/batch/singles.js";

describe("Singles", () => {
  it("are gone until one comes, and five seconds after the last", () => {
    const singles = new Singles();
    assert.ok(singles.areGone(0));
    singles.came(1000);
    assert.ok(!singles.areGone(1000));
    singles.came(3000);
    assert.ok(!singles.areGone(7999));
    assert.ok(singles.areGone(8000));
  });
});
