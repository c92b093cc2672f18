/** Of English text; others have fewer. */
const CHARACTERS_A_TOKEN = 4;
/** What a tokenizer puts around a text. */
const SPECIAL_TOKENS = 2;

/** Tokens of a text by its length alone: an estimate that costs nothing. Never 0. */
export const estimatedTokens = (text: string): number =>
  Math.ceil(text.length / CHARACTERS_A_TOKEN) + SPECIAL_TOKENS;
