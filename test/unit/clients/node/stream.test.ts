import assert from "node:assert/strict";
import { outcomesOf } from "../../../../clients/node/asking/run.js";
import { askByStream } from "../../../../clients/node/asking/stream.js";
import type { Calls } from "../../../../clients/node/calls.js";
import { SentimentError } from "../../../../clients/node/errors.js";
import type {
  AnalyzeStreamRequest,
  AnalyzeStreamResponse,
} from "../../../../server/gen/sentiment/v1/sentiment.js";
import { gathered } from "../../../support/gathered.js";
import { verdictOn } from "../../../support/scripted-service.js";

const AT_ONCE = 4;
const TEXTS = Array.from({ length: 12 }, (_, index) => `text ${index}`);

type Respond = (
  requests: AsyncIterable<AnalyzeStreamRequest>,
) => AsyncGenerator<AnalyzeStreamResponse>;

const answerTo = ({ id, text }: AnalyzeStreamRequest): AnalyzeStreamResponse => ({
  id,
  sentiment: verdictOn(text),
  error: undefined,
});

/** Answers all; the first stream takes in what it may, answers one text, and breaks so many microtasks after that answer was taken. */
function breakingOnce(microtasks: number): Respond {
  let streams = 0;
  return async function* respond(requests) {
    if (++streams > 1) {
      for await (const request of requests) yield answerTo(request);
      return;
    }
    const taken: AnalyzeStreamRequest[] = [];
    const isFull = Promise.withResolvers<void>();
    const takeIn = async () => {
      for await (const request of requests) if (taken.push(request) === AT_ONCE) isFull.resolve();
    };
    void takeIn();
    await isFull.promise;
    for (const request of taken.slice(0, 1)) yield answerTo(request);
    for (let left = microtasks; left > 0; left--) await undefined;
    throw new SentimentError("UNAVAILABLE", "gone");
  };
}

/** The helper over such streams in place of a channel. */
function askBy(respond: Respond) {
  const calls: Pick<Calls, "stream"> = {
    stream: (ask, signal) => ask({ analyzeStream: respond } as never, { signal }) as never,
  };
  const limits = { size: AT_ONCE, inOrder: true };
  return outcomesOf(calls as Calls, TEXTS, limits, { giveUpMs: 1000 }, askByStream);
}

describe("a stream that breaks", () => {
  it("loses no text, in whichever moment it does", async () => {
    const runs = Array.from({ length: 30 }, (_, hops) => gathered(askBy(breakingOnce(hops))));
    for (const outcomes of await Promise.all(runs))
      assert.deepEqual(
        outcomes.map(({ text, sentiment }) => [text, sentiment?.model]),
        TEXTS.map((text) => [text, text]),
      );
  });
});
