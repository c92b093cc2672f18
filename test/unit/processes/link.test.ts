import assert from "node:assert/strict";
import { ServiceError } from "../../../server/core/errors.js";
import { Link } from "../../../server/processes/link.js";
import { FakeClock } from "../../support/fake-clock.js";
import { linkedChannels } from "../../support/linked.js";
import { recorder, turn } from "../../support/recorder.js";

type Sums = {
  readonly add: (pair: readonly [number, number], signal: AbortSignal) => Promise<number>;
};
type Words = { readonly upper: (word: string) => string };
const LIMIT = { limitMs: 1000 };

describe("Link", () => {
  let clock: FakeClock;
  let add: Sums["add"];
  let reported: readonly (readonly [unknown])[];
  let sums: Link<Sums, Words>;
  let words: Link<Words, Sums>;
  beforeEach(() => {
    clock = new FakeClock();
    add = async ([one, other]) => one + other;
    const [here, there] = linkedChannels();
    const [report, calls] = recorder((_error: unknown) => {});
    reported = calls;
    sums = new Link(here, { add: (pair, signal) => add(pair, signal) }, clock, report);
    words = new Link(there, { upper: (word) => word.toUpperCase() }, clock, report);
  });

  it("asks in both directions, several at once", async () => {
    const answers = [words.ask("add", [1, 2], LIMIT), words.ask("add", [3, 4], LIMIT)];
    assert.equal(await sums.ask("upper", "fine", LIMIT), "FINE");
    assert.deepEqual(await Promise.all(answers), [3, 7]);
    assert.equal(clock.pending, 0);
  });

  it("passes on what a caller may read, and nothing of a bug but that there was one", async () => {
    add = () => Promise.reject(new ServiceError("OVERLOADED", "full", { retryAfterMs: 5 }));
    await assert.rejects(words.ask("add", [1, 2], LIMIT), (error) => {
      assert.ok(error instanceof ServiceError);
      assert.deepEqual(
        [error.reason, error.message, error.hints.retryAfterMs],
        ["OVERLOADED", "full", 5],
      );
      return true;
    });
    assert.equal(reported.length, 0);
    add = () => Promise.reject(new Error("secret cause"));
    const refused = words.ask("add", [1, 2], LIMIT);
    await assert.rejects(
      refused,
      (error) => error instanceof ServiceError && error.reason === "BUG",
    );
    await assert.rejects(refused, ({ message }) => !/secret/.test(message));
    assert.match(String(reported[0]?.[0]), /secret cause/);
  });

  it("waits no longer than the limit, and the other end learns of it", async () => {
    let given: AbortSignal | undefined;
    add = (_pair, signal) => {
      given = signal;
      return new Promise(() => {});
    };
    const late = assert.rejects(
      words.ask("add", [1, 2], LIMIT),
      (error) => error instanceof ServiceError && error.reason === "DEADLINE",
    );
    await turn();
    assert.equal(given?.aborted, false);
    clock.advance(1000);
    await late;
    await turn();
    await turn();
    assert.equal(given?.aborted, true);
  });

  it("gives up for a caller that leaves", async () => {
    add = () => new Promise(() => {});
    const leaving = new AbortController();
    const left = words.ask("add", [1, 2], { ...LIMIT, signal: leaving.signal });
    leaving.abort(new Error("left"));
    await assert.rejects(left, /left/);
  });

  it("tells all that wait, and all that come, that the other end is gone", async () => {
    add = () => new Promise(() => {});
    const isGone = (error: unknown) =>
      error instanceof ServiceError && error.reason === "PROCESS_DOWN";
    const waiting = assert.rejects(words.ask("add", [1, 2], LIMIT), isGone);
    words.close();
    await waiting;
    await assert.rejects(words.ask("add", [1, 2], LIMIT), isGone);
  });

  it("gives up what a process asked for that is gone", async () => {
    let given: AbortSignal | undefined;
    add = (_pair, signal) => {
      given = signal;
      return new Promise(() => {});
    };
    words.ask("add", [1, 2], LIMIT).catch(() => {});
    await turn();
    sums.close();
    assert.equal(given?.aborted, true);
    words.close();
  });

  it("sends no more to an end that answers nothing, until it answers", async () => {
    const held: (() => void)[] = [];
    add = () => new Promise((resolve) => held.push(() => resolve(3)));
    const ask = () => words.ask("add", [1, 2], { limitMs: 1 });
    const late = Array.from({ length: 32 }, () => assert.rejects(ask(), /No answer within/));
    await turn();
    clock.advance(1);
    await Promise.all(late);
    await assert.rejects(ask(), /answered nothing for long/);
    assert.equal(held.length, 32);
    for (const answer of held) answer();
    await turn();
    await turn();
    add = async () => 3;
    assert.equal(await ask(), 3);
  });
});
