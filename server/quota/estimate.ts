import { estimatedTokens } from "../core/token-estimate.js";

const CHARACTERS_A_WORD = 6;
/** Rows that an explanation may take, each with the text less some words; and what a model reads at once. */
const MOST_ROWS = 64;
const MOST_ROW_TOKENS = 512;

/** What of a question makes a text cost more. */
interface Asked {
  readonly sentences: boolean;
  readonly explain: boolean;
}

/** Tokens that a model will read for the text, by its length alone; settled when it has read them. At least 1. */
export function tokensOf(text: string, { sentences, explain }: Asked): number {
  const tokens = estimatedTokens(text);
  const once = sentences ? 2 * tokens : tokens;
  if (!explain) return once;
  const rows = Math.min(MOST_ROWS, Math.ceil(text.length / CHARACTERS_A_WORD));
  return once + rows * Math.min(tokens, MOST_ROW_TOKENS);
}
