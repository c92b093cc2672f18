import assert from "node:assert/strict";
import { type Ended, SECONDS, simulate } from "./simulated-load.js";

/** Texts a second that the simulated model can do, about. */
const SATURATION = 1050;

const share = (calls: readonly Ended[], is: (call: Ended) => boolean) =>
  calls.filter(is).length / calls.length;
/** About two seconds of work that waits. */
const LISTS = { callers: 64, rows: 32 };
const isRefused = ({ status }: Ended) => status === "refused";
const isAnswered = ({ status }: Ended) => status === "answered";
const answeredPerSecond = (calls: readonly Ended[]) => calls.filter(isAnswered).length / SECONDS;
const of = (calls: readonly Ended[], holder: string) =>
  calls.filter((call) => call.holder === holder);

describe("Batcher under a simulated load", function () {
  this.timeout(60_000);

  it("answers all that it can do", async () => {
    const calls = await simulate([{ perSecond: 0.8 * SATURATION }]);
    assert.equal(share(calls, isAnswered), 1);
  });

  it("does no less when it is asked for three times as much, and refuses the rest at once", async () => {
    const most = answeredPerSecond(await simulate([{ perSecond: SATURATION }]));
    const calls = await simulate([{ perSecond: 3 * SATURATION }]);
    assert.ok(answeredPerSecond(calls) > 0.9 * most, `${answeredPerSecond(calls)} of ${most}`);
    const refused = calls.filter(isRefused);
    assert.ok(share(refused, ({ tookMs }) => tookMs < 10) > 0.99);
    assert.ok(share(calls, ({ status }) => status === "late") < 0.01);
  });

  it("refuses nobody who has time enough, where the model was held up for a second", async () => {
    const load = { perSecond: 0.8 * SATURATION, patienceMs: 30_000 };
    const outage = { fromMs: 1500, untilMs: 2750 };
    const calls = await simulate([load], undefined, 5, outage);
    assert.ok(calls.length > 2000 && calls.every(isAnswered));
    assert.ok(Math.max(...calls.map(({ tookMs }) => tookMs)) > 1250);
  });

  it("keeps what waits short meanwhile, so that what it answers is answered soon", async () => {
    const calls = await simulate([{ perSecond: 3 * SATURATION }]);
    // Until it has refused a first one that could have waited for long.
    const later = calls.filter((call) => isAnswered(call) && call.atMs > 1000);
    assert.ok(later.length > 1000);
    assert.ok(share(later, ({ tookMs }) => tookMs < 450) > 0.99);
  });

  it("lets lists wait for as long as QUEUE_TIMEOUT, where nobody is refused", async () => {
    const calls = await simulate([], LISTS);
    assert.ok(calls.length > LISTS.callers && calls.every(isAnswered));
    assert.ok(Math.max(...calls.map(({ tookMs }) => tookMs)) > 1000);
  });

  it("does not refuse lists for good that a surge has had turned away", async () => {
    const surge = { perSecond: 3 * SATURATION, holder: "lists", patienceMs: 60_000 };
    const calls = await simulate([surge], LISTS, 56);
    const lists = calls.filter(({ rows }) => rows > 1);
    assert.ok(lists.some(isRefused));
    const last = lists.filter(({ atMs }) => atMs > 50_000);
    assert.ok(last.length > 50 && last.every(isAnswered));
  });

  for (const holder of ["lists", "another"])
    it(`answers single calls soon behind lists that wait for seconds, as ${holder}`, async () => {
      const calls = await simulate([{ perSecond: 20, holder }], LISTS);
      const single = calls.filter(({ rows, atMs }) => rows === 1 && atMs > 1000);
      assert.ok(single.length > 50 && single.every(isAnswered));
      assert.ok(share(single, ({ tookMs }) => tookMs < 300) > 0.95);
    });

  it("answers a key that asks for less than its part, whatever another one asks for", async () => {
    const calls = await simulate([
      { perSecond: 0.4 * SATURATION, holder: "calm" },
      { perSecond: 3 * SATURATION, holder: "busy" },
    ]);
    assert.ok(share(of(calls, "calm"), isAnswered) > 0.95);
    // What the calm one leaves is the busy one's.
    assert.ok(answeredPerSecond(of(calls, "busy")) > 0.9 * 0.6 * SATURATION);
  });

  it("answers twenty keys that ask for too much about alike", async () => {
    const keys = Array.from({ length: 20 }, (_, key) => `key ${key}`);
    const calls = await simulate(
      keys.map((holder) => ({ perSecond: (3 * SATURATION) / 20, holder })),
    );
    const parts = keys.map((holder) => answeredPerSecond(of(calls, holder)));
    assert.ok(answeredPerSecond(calls) > 0.9 * SATURATION);
    assert.ok(Math.min(...parts) > 0.7 * Math.max(...parts), `${parts}`);
  });
});
