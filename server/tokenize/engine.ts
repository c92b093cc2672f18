import { Tokenizer } from "@huggingface/tokenizers";
import { bertPreTokenizer, eachAsciiWord, PRINTABLE_ASCII } from "./bert.js";
import { BYTE_LEVEL_PATTERN } from "./byte-level.js";
import { type EngineNormalizer, type NormalizerSection, normalizerOf } from "./normalizer.js";
import { type EncodeWords, withWordCache } from "./word-cache.js";
import { type WordPieceSection, wordPiece } from "./word-piece.js";
import { withWordTable } from "./word-table.js";

/** What of a tokenizer.json the engine is put right by. */
export interface EngineFile {
  readonly normalizer?: NormalizerSection | null;
  readonly pre_tokenizer?: { readonly type: string } | null;
  readonly model?: { readonly type?: string };
}

/** An engine's pre-tokenizer; `pattern` is that of a ByteLevel one. */
type PreTokenizer = ((text: string) => string[]) & { pattern?: RegExp };

/** What @huggingface/tokenizers keeps to itself. */
interface Parts {
  normalizer: EngineNormalizer | null;
  pre_tokenizer: PreTokenizer | null;
  readonly model: {
    encode: EncodeWords;
    readonly tokens_to_ids: ReadonlyMap<string, number>;
    readonly unk_token_id: number;
  };
  readonly added_tokens_map: ReadonlyMap<string, { readonly id: number }>;
}

export interface Engine {
  /** Ids of the text, with what the post-processor puts around them, or without. */
  encode(text: string, withSpecialTokens: boolean): readonly number[];
  idOf(token: string): number | undefined;
}

/** Of several kinds, and a hieroglyph that no vocabulary has. */
export const TRIAL = "a B1! \u00e9 \u597d \u{1f600} \u{13080}";

/** So many are looked for in one pattern, in next to no time. */
const MOST_ADDED = 100;

/** @huggingface/tokenizers with the reference's behaviour in place of its own parts that differ from it, and quicker where a text is but words. */
export function engineOf(file: EngineFile): Engine {
  const whole = new Tokenizer(file, {});
  const parts = whole as unknown as Parts;
  correct(parts, file);
  const encode = (text: string, add_special_tokens: boolean): readonly number[] =>
    whole.encode(text, { add_special_tokens }).ids;
  const idOf = (token: string) => whole.token_to_id(token);
  const wordsAlone = file.model?.type === "WordPiece" ? idsOfWords(parts) : undefined;
  const expected = encode(TRIAL, false);
  if (wordsAlone === undefined || wordsAlone(TRIAL)?.join() !== expected.join()) {
    parts.model.encode = withWordCache(parts.model.encode);
    return { encode, idOf };
  }
  return {
    encode: (text, withSpecialTokens) =>
      (withSpecialTokens ? undefined : wordsAlone(text)) ?? encode(text, withSpecialTokens),
    idOf,
  };
}

function correct(parts: Parts, { normalizer, pre_tokenizer, model }: EngineFile): void {
  if (normalizer && parts.normalizer) parts.normalizer = normalizerOf(normalizer, parts.normalizer);
  if (pre_tokenizer?.type === "BertPreTokenizer") parts.pre_tokenizer = bertPreTokenizer;
  if (pre_tokenizer?.type === "ByteLevel" && parts.pre_tokenizer)
    parts.pre_tokenizer.pattern = BYTE_LEVEL_PATTERN;
  parts.model.encode =
    model?.type === "WordPiece"
      ? wordPiece(model as WordPieceSection)
      : parts.model.encode.bind(parts.model);
}

/**
 * A text's ids without the engine's look for added tokens at each letter, and for each token's id: half of what a short text costs. undefined of a text
 * that has one in it.
 */
function idsOfWords({ normalizer, pre_tokenizer, model, added_tokens_map }: Parts) {
  const added = [...added_tokens_map.keys()];
  if (added.length === 0 || added.length > MOST_ADDED) return undefined;
  // Its unknown token is none of the vocabulary, which is for whoever loads it to find.
  if (!Number.isInteger(model.unk_token_id)) return undefined;
  const anyAdded = new RegExp(added.map(escaped).join("|"));
  const idOf = (token: string) =>
    added_tokens_map.get(token)?.id ?? model.tokens_to_ids.get(token) ?? model.unk_token_id;
  const append = withWordTable((word) => model.encode([word]).map(idOf));
  const appendWords = (text: string, ids: number[]) => {
    if (pre_tokenizer === bertPreTokenizer && PRINTABLE_ASCII.test(text))
      eachAsciiWord(text, (begin, end) => append(text, begin, end, ids));
    else for (const word of pre_tokenizer?.(text) ?? [text]) append(word, 0, word.length, ids);
  };
  return (text: string): readonly number[] | undefined => {
    if (anyAdded.test(text)) return undefined;
    const plain = normalizer?.(text) ?? text;
    if (plain !== text && anyAdded.test(plain)) return undefined;
    const ids: number[] = [];
    if (plain !== "") appendWords(plain, ids);
    return ids;
  };
}

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
