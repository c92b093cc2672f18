import type { RowAnswer } from "../batch/row.js";
import type { Call } from "../core/call.js";
import type { Tier } from "../core/tiers.js";
import type { Tokenizer } from "../tokenize/tokenizer.js";
import type { ReadingEvents } from "./events.js";
import type { ReadingThreads } from "./reading-threads.js";

/** One tier's model and all that a request needs of it. */
export interface ServedModel {
  readonly tier: Tier;
  /** Its name in the repository. */
  readonly name: string;
  /** As in Sentiment.model_version. */
  readonly version: string;
  /** Tokens that it reads at once, special tokens included. */
  readonly maxTokens: number;
  readonly temperature: number;
  /** Under this confidence the cascade passes its text on; undefined: the model is not made for the cascade. */
  readonly cascadeThreshold: number | undefined;
  readonly tokenizer: Tokenizer;
  /** Where long texts are read; undefined: on the event loop, as the others are. */
  readonly readers: Pick<ReadingThreads, "takes" | "admit" | "read"> | undefined;
  /** Of its answers in the caches (see `spaceOf`). */
  readonly space: string;
  readonly events: ReadingEvents;
  /** Keeps it loaded until it is given back. */
  lease(): Disposable;
  /** Throws OVERLOADED where so many texts, of so many tokens by estimate, would be refused now. */
  admit(texts: number, tokens: number, call: Call): void;
  /** Runs rows of token ids, special tokens included; one outcome a row. `isBegun`: other rows of the call were submitted before. */
  submit(
    rows: readonly (readonly number[])[],
    call: Call,
    isBegun?: boolean,
  ): Promise<PromiseSettledResult<RowAnswer>[]>;
  /** Milliseconds that a text would wait for it now, by estimate, or would if none were refused to keep its queue short. */
  waitMs(): number;
  /** Resolves when the model is loaded; loads it where that has not been asked for yet. */
  ready(): Promise<void>;
  /** It is loaded and answers now. */
  isReady(): boolean;
  /** Calls for it are answered: it is ready, or the next one loads it. */
  canServe(): boolean;
}

/** Tokens of a text that the model reads at once. */
export const roomOf = ({
  maxTokens,
  tokenizer: { prefix, suffix },
}: Pick<ServedModel, "maxTokens" | "tokenizer">): number =>
  maxTokens - prefix.length - suffix.length;
