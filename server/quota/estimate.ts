/** Of English text; others have fewer, and are settled when the model has read them. */
const CHARACTERS_A_TOKEN = 4;
const CHARACTERS_A_WORD = 6;
/** What a tokenizer puts around a text. */
const SPECIAL_TOKENS = 2;
/** Rows that an explanation may take, each with the text less some words; and what a model reads at once. */
const MOST_ROWS = 64;
const MOST_ROW_TOKENS = 512;

/** What of a question makes a text cost more. */
interface Asked {
  readonly sentences: boolean;
  readonly explain: boolean;
}

/** Tokens that a model will read for the text, by its length alone: an estimate that costs nothing. At least 1. */
export function tokensOf(text: string, { sentences, explain }: Asked): number {
  const tokens = Math.ceil(text.length / CHARACTERS_A_TOKEN) + SPECIAL_TOKENS;
  const once = sentences ? 2 * tokens : tokens;
  if (!explain) return once;
  const rows = Math.min(MOST_ROWS, Math.ceil(text.length / CHARACTERS_A_WORD));
  return once + rows * Math.min(tokens, MOST_ROW_TOKENS);
}
