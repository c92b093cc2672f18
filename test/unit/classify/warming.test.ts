import assert from "node:assert/strict";
import { nothingWarmed, type Warmed, Warming } from "../../../server/classify/warming.js";
import { FakeClock } from "../../support/fake-clock.js";
import { turn } from "../../support/recorder.js";
import { numbered } from "../cache/cached.js";

const NEVER = new AbortController().signal;

describe("Warming", () => {
  let clock: FakeClock;
  let busy: boolean;
  let warming: Warming;
  let tally: Warmed;
  let asked: string[];
  let underWay: number;
  let mostUnderWay: number;
  let answer: (text: string) => Promise<keyof Warmed | "later">;

  beforeEach(() => {
    clock = new FakeClock();
    busy = false;
    warming = new Warming(() => busy, clock);
    tally = nothingWarmed();
    [asked, underWay, mostUnderWay] = [[], 0, 0];
    answer = async () => "warmed";
  });
  const warm = async (text: string, signal: AbortSignal) => {
    asked.push(text);
    underWay++;
    mostUnderWay = Math.max(mostUnderWay, underWay);
    await turn();
    underWay--;
    signal.throwIfAborted();
    return answer(text);
  };
  const run = (texts: readonly string[], signal = NEVER, into = tally) =>
    warming.run(texts, warm, signal, into);
  /** Lets `ms` pass, and what falls due be done. */
  const wait = async (ms: number) => {
    for (let left = ms; left > 0; left -= 20) {
      clock.advance(Math.min(left, 20));
      for (let turns = 0; turns < 5; turns++) await turn();
    }
  };

  it("takes eight texts at a time, in their order, and counts what became of them", async () => {
    const texts = numbered("text", 20);
    answer = async (text) =>
      text === "text3" ? "present" : text === "text9" ? "failed" : "warmed";
    await run(texts);
    assert.deepEqual([asked, mostUnderWay], [texts, 8]);
    assert.deepEqual(tally, { warmed: 18, present: 1, failed: 1 });
    assert.equal(clock.pending, 0);
  });

  it("asks for equal texts once", async () => {
    answer = async (text) => (text === "bad" ? "failed" : "warmed");
    await run(["good", "bad", "good", "bad", "good"]);
    assert.deepEqual(asked, ["good", "bad"]);
    assert.deepEqual(tally, { warmed: 1, present: 2, failed: 2 });
  });

  it("takes long texts in smaller steps, and one that is longer than a step alone", async () => {
    const texts = ["a", "b", "c", "d"].map((letter) => letter.repeat(900));
    await run([...texts, "e".repeat(10_000), "f"]);
    assert.equal(mostUnderWay, 2);
    assert.deepEqual(
      asked.map(([letter]) => letter),
      ["a", "b", "c", "d", "e", "f"],
    );
  });

  it("asks for nothing while calls are under way, and goes on in the gap after them", async () => {
    busy = true;
    const done = run(numbered("text", 10));
    await wait(980);
    assert.deepEqual(asked, []);
    busy = false;
    await wait(20);
    await done;
    assert.equal(asked.length, 10);
  });

  it("looks for a gap before each step", async () => {
    const done = run(numbered("text", 20));
    while (asked.length === 0) await turn();
    busy = true;
    await wait(500);
    assert.equal(asked.length, 8);
    busy = false;
    await wait(20);
    await done;
  });

  it("takes one text a second where calls leave no gap", async () => {
    busy = true;
    const done = run(numbered("text", 5));
    await wait(3500);
    assert.deepEqual(asked, numbered("text", 3));
    await wait(2000);
    await done;
    assert.equal(tally.warmed, 5);
  });

  it("asks again a second later for what could not be now, without holding others up", async () => {
    let isUp = false;
    answer = async (text) => (text.startsWith("text") && !isUp ? "later" : "warmed");
    const done = run(numbered("text", 3));
    const other = nothingWarmed();
    await wait(20);
    await run(["other"], NEVER, other);
    assert.deepEqual([tally, other.warmed, asked.length], [nothingWarmed(), 1, 4]);
    await wait(960);
    assert.equal(asked.length, 4);
    isUp = true;
    await wait(40);
    await done;
    assert.deepEqual([tally.warmed, asked.length], [3, 7]);
  });

  it("lets steps of several warmings go in turn, never two at once", async () => {
    const [one, other] = [nothingWarmed(), nothingWarmed()];
    await Promise.all([
      run(numbered("one", 24), NEVER, one),
      run(numbered("other", 24), NEVER, other),
    ]);
    assert.deepEqual([one.warmed, other.warmed, mostUnderWay], [24, 24, 8]);
    const firsts = [0, 8, 16, 24, 32].map((place) => asked[place]?.replace(/\d+/, ""));
    assert.deepEqual(firsts, ["one", "other", "one", "other", "one"]);
  });

  describe("ends at once when its caller leaves", () => {
    const gone = new Error("gone");
    /** Leaves once `isThere`; afterwards the next warming, and `others`, must get through. */
    const leave = async (isThere: () => boolean, others: readonly Promise<void>[] = []) => {
      const leaving = new AbortController();
      const left = assert.rejects(run(numbered("text", 9), leaving.signal), gone);
      while (!isThere()) await turn();
      leaving.abort(gone);
      await left;
      busy = false;
      const next = run(["next"], NEVER, nothingWarmed());
      for (let turns = 0; turns < 5; turns++) await turn();
      await wait(40);
      await Promise.all([...others, next]);
      assert.deepEqual([asked.at(-1), clock.pending], ["next", 0]);
    };

    it("from a step", () => leave(() => underWay > 0));

    it("while it waits for a gap", async () => {
      busy = true;
      await leave(() => clock.pending > 0);
      assert.deepEqual(asked, ["next"]);
    });

    it("while it waits for its turn, without letting others overtake", async () => {
      busy = true;
      const first = run(["first"], NEVER, nothingWarmed());
      await leave(() => clock.pending > 0, [first]);
      assert.deepEqual(asked, ["first", "next"]);
    });

    it("while it waits to ask again", async () => {
      answer = async (text) => (text === "next" ? "warmed" : "later");
      await leave(() => asked.length === 9 || clock.pending > 0);
    });
  });

  it("keeps count of what was done before it ended", async () => {
    const fault = new Error("all would fail");
    answer = (text) => (text === "text9" ? Promise.reject(fault) : Promise.resolve("warmed"));
    await assert.rejects(run(numbered("text", 30)), fault);
    assert.equal(tally.warmed, 15);
    await run(["more"]);
    assert.equal(tally.warmed, 16);
  });

  it("ends all with DRAINING once it is closed, and begins none", async () => {
    busy = true;
    const runs = [run(["one"]), run(["other"])];
    await turn();
    warming[Symbol.dispose]();
    runs.push(run(["late"]));
    for (const one of runs) await assert.rejects(one, { reason: "DRAINING" });
    assert.deepEqual([asked, clock.pending], [[], 0]);
  });

  it("lets calls that come have their turn, also where all is in the caches", async () => {
    let turns = 0;
    let over = false;
    const count = async () => {
      while (!over) {
        await turn();
        turns++;
      }
    };
    const counting = count();
    await warming.run(numbered("text", 800), async () => "present", NEVER, tally);
    over = true;
    await counting;
    assert.ok(turns >= 99, `${turns}`);
  });
});
