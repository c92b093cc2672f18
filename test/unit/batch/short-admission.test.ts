import assert from "node:assert/strict";
import { Admission } from "../../../server/batch/admission.js";
import { Load } from "../../../server/batch/load.js";
import { type QueuedRow, RowQueue } from "../../../server/batch/row-queue.js";
import { Sharing } from "../../../server/batch/sharing.js";
import { holderOf, type Origin } from "../../../server/core/call.js";
import { ServiceError } from "../../../server/core/errors.js";
import { FakeClock } from "../../support/fake-clock.js";
import { NO_EVENTS } from "../../support/no-events.js";
import { someCall } from "../../support/some-call.js";

const FOREVER = Number.POSITIVE_INFINITY;
const STREAM = {};

/** How a call is unlike one of ten tokens that comes anew, without a key. */
interface Unlike {
  readonly origin?: Origin;
  readonly tokens?: number;
  readonly isBegun?: boolean;
}

/** A backend on which a token takes a millisecond, busy with 50, and what is let in behind that; a call has ten tokens. */
class Busy {
  readonly clock = new FakeClock();
  readonly queue = new RowQueue<QueuedRow>(false, 10_000);
  readonly sharing = new Sharing();
  readonly admission: Admission;
  #order = 0;

  constructor() {
    const load = new Load(1, undefined);
    const size = { tokens: 10, work: 10 };
    for (let batch = 0; batch < 4; batch++) {
      load.began(size);
      load.ended(size, 10, 10 * batch, false);
    }
    load.began({ tokens: 50, work: 50 });
    const { queue, sharing } = this;
    const options = { maxQueuedRows: 1000, maxWaitMs: 5000, events: NO_EVENTS };
    this.admission = new Admission({ queue, load, sharing }, options, this.clock);
  }

  /** Rows of so many tokens that are due at once. */
  queued(tokens: number, origin: Origin = {}): void {
    const ids = Array<number>(tokens).fill(0);
    this.queue.insert({ ids, due: 0, call: someCall({ origin }), order: this.#order++ });
  }

  /** Undefined: it was let in. */
  refusal(
    patienceMs: number,
    { origin = {}, tokens = 10, isBegun = false }: Unlike = {},
  ): ServiceError | undefined {
    const call = someCall({ deadlineMs: this.clock.now() + patienceMs, origin });
    const due = this.sharing.due(holderOf(call), tokens);
    try {
      this.admission.admit({ call, rows: 1, tokens, due, isBegun });
      return undefined;
    } catch (error) {
      assert.ok(error instanceof ServiceError && error.reason === "OVERLOADED");
      return error;
    }
  }
}

describe("admission to a queue that is kept short", () => {
  let busy: Busy;
  beforeEach(() => {
    busy = new Busy();
    busy.queued(300);
  });
  const isShort = () => busy.refusal(1000) !== undefined;

  it("begins when a call is too late for the length of the queue", () => {
    assert.equal(isShort(), false);
    assert.match(busy.refusal(600)?.message ?? "", /may take 0\.6 s/);
    const refusal = busy.refusal(1000);
    assert.match(refusal?.message ?? "", /others wait for 0\.15 s already/);
    assert.equal(refusal?.hints.retryAfterMs, 1000);
    assert.equal(busy.refusal(1300), undefined);
    // With what runs it is 350 now, and was 1000 once.
    assert.equal(busy.admission.waitMs, 350);
    busy.queued(700);
    busy.refusal(600);
    busy.queue.take(busy.queue.next(FOREVER).slice(1));
    assert.equal(busy.admission.waitMs, 1000);
    busy.queue.take(busy.queue.next(FOREVER));
    assert.equal(busy.admission.waitMs, 50);
  });

  it("lets those in for whom others have no more than 0.15 s waiting", () => {
    busy.refusal(600);
    busy.queue.take(busy.queue.next(FOREVER));
    busy.queued(150);
    assert.equal(isShort(), false);
    busy.queued(1);
    assert.equal(isShort(), true);
  });

  it("says of texts that nobody has read yet what it says of their rows", () => {
    const asked = { call: someCall({ deadlineMs: 1000 }), rows: 1, tokens: 10, isBegun: false };
    const isSure = () => busy.admission.isSure(asked);
    assert.equal(isSure(), true);
    busy.refusal(600);
    assert.equal(isSure(), false);
  });

  it("ends, and tells of no queue then", () => {
    busy.refusal(600);
    busy.clock.advance(3000);
    assert.equal(isShort(), false);
    assert.equal(busy.admission.waitMs, 350);
  });

  const NO_SIGN: Readonly<Record<string, () => ServiceError | undefined>> = {
    "that would be too late behind a short queue as well": () =>
      busy.refusal(2000, { tokens: 1600 }),
    "that has no more than 0.15 s": () => busy.refusal(150),
    "that nobody waits for": () => busy.refusal(600, { origin: { isUnasked: true } }),
  };
  for (const [what, refused] of Object.entries(NO_SIGN))
    it(`does not begin for a call ${what}`, () => {
      assert.ok(refused() !== undefined);
      assert.equal(isShort(), false);
    });

  it("does not begin for what a call itself has waiting", () => {
    const stream = new Busy();
    stream.queued(300, STREAM);
    assert.ok(stream.refusal(600, { origin: STREAM }) !== undefined);
    assert.equal(stream.refusal(1000), undefined);
  });

  it("is for the holder alone whose calls were too late", () => {
    const [asking, calm] = [{ holder: "asking" }, { holder: "calm" }];
    for (const origin of [asking, calm]) busy.queued(300, origin);
    busy.refusal(600, { origin: asking });
    assert.equal(busy.refusal(1500, { origin: calm }), undefined);
    assert.ok(busy.refusal(1000, { origin: asking }) !== undefined);
  });

  it("does not turn a call away that it has let in before", () => {
    busy.refusal(600);
    assert.ok(isShort());
    assert.equal(busy.refusal(1000, { isBegun: true }), undefined);
  });

  it("does not turn a stream away for its own texts", () => {
    const stream = new Busy();
    stream.queued(150);
    stream.queued(150, STREAM);
    stream.refusal(600);
    assert.ok(stream.refusal(1000) !== undefined);
    assert.equal(stream.refusal(1000, { origin: STREAM }), undefined);
  });
});
