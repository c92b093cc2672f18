import { setTimeout as sleep } from "node:timers/promises";
import type {
  AnalyzeStreamRequest,
  AnalyzeStreamResponse,
} from "../../../server/gen/sentiment/v1/sentiment.js";
import { SentimentError } from "../errors.js";
import { answerOf } from "./answer.js";
import { isAskedAgain, isCallAskedAgain, isFailure, isTooLarge } from "./patience.js";
import type { Asking } from "./run.js";
import type { Slot } from "./window.js";

/** Asks what the window has, by one stream after the other where streams break, until all is answered. */
export async function askByStream(asking: Asking): Promise<void> {
  const { window, patience, signal } = asking;
  // Opened only when there is something to ask: the server ends one that says nothing.
  for (let tries = 0; await window.hasTexts(); ) {
    const stream = new OneStream(asking);
    const failure = await stream.run();
    tries = stream.hasAnswers ? 1 : tries + 1;
    if (failure) await sleep(patience.delayMs(failure, tries), undefined, { signal });
  }
}

class OneStream {
  readonly #asking: Asking;
  readonly #over = new AbortController();
  readonly #underWay = new Map<string, Slot>();
  hasAnswers = false;

  constructor(asking: Asking) {
    this.#asking = asking;
  }

  /** Until it ends: why it left texts unanswered, which wait again now. Rejects with what no other stream would mend. */
  async run(): Promise<SentimentError | undefined> {
    const { calls, signal, window } = this.#asking;
    try {
      const responses = calls.stream(
        (client, options) => client.analyzeStream(this.#requests(), options),
        signal,
      );
      for await (const response of responses) this.#take(response);
      return this.#left(
        new SentimentError("UNAVAILABLE", "the server ended the stream before it had answered all"),
      );
    } catch (error) {
      if (isBroken(error)) return this.#left(error);
      if (!(isTooLarge(error) && this.#refuseLargest(error))) throw error;
      return undefined;
    } finally {
      // What waits for a text must not take one for a stream that is no more.
      this.#over.abort();
      window.putBack([...this.#underWay.values()]);
    }
  }

  /** The text whose message was too large; the others are asked again. False: there is none. */
  #refuseLargest(error: SentimentError): boolean {
    const { patience, window } = this.#asking;
    const bytes = ({ text }: Slot) => Buffer.byteLength(text);
    const [largest] = [...this.#underWay.values()].sort((one, other) => bytes(other) - bytes(one));
    if (largest === undefined) return false;
    this.#underWay.delete(String(largest.index));
    this.hasAnswers = true;
    patience.answered();
    window.settle(largest, { error });
    return true;
  }

  /** A stream that breaks while it has nothing under way has harmed nobody. */
  #left(error: SentimentError): SentimentError | undefined {
    return this.#underWay.size > 0 ? error : undefined;
  }

  async *#requests(): AsyncGenerator<AnalyzeStreamRequest> {
    const { window, wanted } = this.#asking;
    const { signal } = this.#over;
    for (;;) {
      const [slot] = await window.take(1, 0, signal);
      if (slot === undefined) return;
      // The stream may have ended between the taking of the text and this moment: it is not among those that `run` puts back.
      if (signal.aborted) return window.putBack([slot]);
      const id = String(slot.index);
      this.#underWay.set(id, slot);
      yield { id, text: slot.text, ...wanted };
    }
  }

  #take(response: AnalyzeStreamResponse): void {
    const { patience, window } = this.#asking;
    const slot = this.#underWay.get(response.id);
    if (slot === undefined) return;
    this.#underWay.delete(response.id);
    const answer = answerOf(response);
    if (isAskedAgain(answer.error)) this.#askLater(slot, answer.error);
    else {
      this.hasAnswers = true;
      patience.answered();
      window.settle(slot, answer);
    }
  }

  /** By this stream or the next. */
  #askLater(slot: Slot, error: SentimentError): void {
    const { patience, signal, window } = this.#asking;
    slot.tries++;
    const delayMs = patience.delayMs(error, slot.tries);
    sleep(delayMs, undefined, { signal }).then(
      () => window.putBack([slot]),
      () => {},
    );
  }
}

/** DEADLINE is said of a stream that was silent for long, and a text that is sent in that moment is not answered. */
const isBroken = (error: unknown): error is SentimentError =>
  isCallAskedAgain(error) || (isFailure(error) && error.reason === "DEADLINE");
