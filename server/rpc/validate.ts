import type { Question } from "../classify/reading.js";
import { ServiceError } from "../core/errors.js";
import type { Tier } from "../core/tiers.js";
import {
  type AnalyzeOptions,
  LongText as LongTextMessage,
  Tier as TierMessage,
} from "../gen/sentiment/v1/sentiment.js";

const MAX_ID_LENGTH = 128;

/** Throws for a text that cannot be analyzed. `maxLength` is in code points; `field` is its path in the request. */
export function checkText(text: string, maxLength: number, field: string): void {
  // The reader marks bytes that were not UTF-8 with a lone surrogate (see wire-text.ts).
  if (!text.isWellFormed()) {
    throw new ServiceError(
      "TEXT_NOT_UTF8",
      `${field} is not valid UTF-8: send the text encoded as UTF-8.`,
      { field },
    );
  }
  if (isOver(text, maxLength)) {
    throw new ServiceError(
      "TEXT_TOO_LONG",
      `${field} is over ${maxLength} characters: shorten it or cut it up.`,
      { field },
    );
  }
  if (text.trim() === "") {
    throw new ServiceError(
      "TEXT_EMPTY",
      `${field} is empty or white space: send a text with words.`,
      { field },
    );
  }
}

/** Has more code points. One has at most two UTF-16 units: only texts in between need counting. */
const isOver = (text: string, most: number): boolean =>
  text.length > most && (text.length > 2 * most || codePoints(text) > most);

export function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** Throws for a batch that is refused as a whole. `field` holds its texts in the request. */
export function checkBatchSize(texts: number, most: number, field = "texts"): void {
  if (texts === 0) {
    throw new ServiceError("BATCH_EMPTY", `${field} is empty: send at least one text.`, { field });
  }
  if (texts > most) {
    const message = `${field} has ${texts} texts, at most ${most} are allowed: send several batches.`;
    throw new ServiceError("BATCH_TOO_LARGE", message, { field });
  }
}

/** An id that is refused, as far as it can be sent back. */
export const echoOf = (id: string): string =>
  [...id.slice(0, 2 * MAX_ID_LENGTH)].slice(0, MAX_ID_LENGTH).join("").toWellFormed();

export function checkId(id: string): void {
  if (!id.isWellFormed() || isOver(id, MAX_ID_LENGTH)) {
    const message = `id must be valid UTF-8 of at most ${MAX_ID_LENGTH} characters: shorten it.`;
    throw new ServiceError("ID_TOO_LONG", message, { field: "id" });
  }
}

/** The tier that the message names, "auto" for the cascade, or undefined for the server's default. */
export function tierOf(tier: TierMessage): Tier | "auto" | undefined {
  switch (tier) {
    case TierMessage.TIER_UNSPECIFIED:
      return undefined;
    case TierMessage.TIER_FAST:
      return "fast";
    case TierMessage.TIER_BALANCED:
      return "balanced";
    case TierMessage.TIER_ACCURATE:
      return "accurate";
    case TierMessage.TIER_AUTO:
      return "auto";
    default:
      throw new ServiceError(
        "TIER_UNKNOWN",
        `tier ${tier} is unknown: use TIER_FAST, TIER_BALANCED, TIER_ACCURATE or TIER_AUTO.`,
        { field: "tier" },
      );
  }
}

/** What the options ask about each text. */
export const questionOf = (options: AnalyzeOptions | undefined): Question => ({
  longText: longTextOf(options?.longText ?? LongTextMessage.LONG_TEXT_UNSPECIFIED),
  sentences: options?.sentences ?? false,
  explain: options?.explain ?? false,
  skipCache: options?.skipCache ?? false,
});

function longTextOf(longText: LongTextMessage): Question["longText"] {
  switch (longText) {
    case LongTextMessage.LONG_TEXT_UNSPECIFIED:
    case LongTextMessage.LONG_TEXT_WINDOWS:
      return "windows";
    case LongTextMessage.LONG_TEXT_TRUNCATE:
      return "truncate";
    case LongTextMessage.LONG_TEXT_REJECT:
      return "reject";
    default: {
      const message = `options.long_text ${longText} is unknown: use LONG_TEXT_WINDOWS, LONG_TEXT_TRUNCATE or LONG_TEXT_REJECT.`;
      throw new ServiceError("OPTION_UNKNOWN", message, { field: "options.long_text" });
    }
  }
}
