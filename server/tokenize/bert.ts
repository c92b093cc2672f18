import { setOf } from "./code-points.js";

/**
 * BERT's normalizer and pre-tokenizer, exactly as the reference (Rust `tokenizers` 0.23.3) does them.
 *
 * The reference carries Unicode tables of about version 8, JavaScript engines today's; and @huggingface/tokenizers 0.2.0
 * differs from it in four ways besides: it takes no account of ideographs beyond U+FFFF, it reads only the first UTF-16
 * unit of a code point where it cleans, it lower-cases a whole text (so that a sigma at the end of a word becomes another
 * letter) and it does so before it strips accents. The tables below were found by asking the reference about every code
 * point; `test/fixtures/tokenizer` holds the proof.
 */

/** Today's nonspacing marks that the reference does not know as such, and their compositions: it does not remove them. */
const KEPT_MARKS = setOf(`
  7fd 897-89f 8ca-8e1 9fe afa-aff b55 c04 c3c d00 d3b-d3c d81 eba ece 180f 1885-1886 1abf-1add
  1ae0-1aeb 1df6-1dfb a82c a8c5 a8ff a9bd 105c9 105e4 10d24-10d27 10d69-10d6d 10eab-10eac
  10efa-10eff 10f46-10f50 10f82-10f85 11070 11073-11074 110c2 111c9 111cf 1123e 11241 1133b
  11383 11385 1138e 11391 113bb-113c0 113c5 113c7-113c8 113ce 113d0 113d2 113e1-113e2
  11438-1143f 11442-11444 11446 1145e 1182f-11837 11839-1183a 11938 1193b-1193c 1193e 11943
  119d4-119d7 119da-119db 119e0 11a01-11a0a 11a33-11a38 11a3b-11a3e 11a47 11a51-11a56
  11a59-11a5b 11a8a-11a96 11a98-11a99 11b60 11b62-11b64 11b66 11c30-11c36 11c38-11c3d 11c3f
  11c92-11ca7 11caa-11cb0 11cb2-11cb3 11cb5-11cb6 11d31-11d36 11d3a 11d3c-11d3d 11d3f-11d45
  11d47 11d90-11d91 11d95 11d97 11ef3-11ef4 11f00-11f01 11f36-11f3a 11f40 11f42 11f5a 13440
  13447-13455 1611e-16129 1612d-1612f 16d68-16d6a 16f4f 16fe4 1cf00-1cf2d 1cf30-1cf46
  1e000-1e006 1e008-1e018 1e01b-1e021 1e023-1e024 1e026-1e02a 1e08f 1e130-1e136 1e2ae
  1e2ec-1e2ef 1e4ec-1e4ef 1e5ee-1e5ef 1e6e3 1e6e6 1e6ee-1e6ef 1e6f5 1e944-1e94a
`);

/**
 * What has a combining class or a decomposition only since Unicode 10: the reference's decomposition, which is of version
 * 9, neither takes it apart nor sorts it among the marks beside it. (It does sort the others of KEPT_MARKS.)
 */
const NOT_DECOMPOSED = setOf(`
  7fd 897-89f 8ca-8d3 9fe c3c d3b-d3c eba 1715 1abf-1add 1ae0-1aeb 1df6-1dfa a82c 105c9 105e4
  10d24-10d27 10d69-10d6d 10eab-10eac 10efa-10efb 10efd-10eff 10f46-10f50 10f82-10f85 11070
  1133b 11383 11385 1138e 11391 113c5 113c7-113c8 113ce-113d0 1145e 11839-1183a 11938
  1193d-1193e 11943 119e0 11a34 11a47 11a99 11d42 11d44-11d45 11d97 11f41-11f42 16121-16128
  1612f 16d68-16d6a 16ff0-16ff1 1e08f 1e130-1e136 1e2ae 1e2ec-1e2ef 1e4ec-1e4ef 1e5ee-1e5ef
  1e6e3 1e6e6 1e6ee-1e6ef 1e6f5
`);

/** Today's punctuation that the reference does not know. */
const NOT_PUNCTUATION = setOf(`
  61d 9fd a76 c77 c84 1b4e-1b4f 1b7d-1b7f 2e43-2e4f 2e52-2e5d 10d6e 10ead 10ed0 10f55-10f59
  10f86-10f89 113d4-113d5 113d7-113d8 1144b-1144f 1145a-1145b 1145d 11660-1166c 116b9 1183b
  11944-11946 119e2 11a3f-11a46 11a9a-11a9c 11a9e-11aa2 11b00-11b09 11be1 11c41-11c45
  11c70-11c71 11ef7-11ef8 11f43-11f4f 11fff 12ff1-12ff2 16d6d-16d6f 16e97-16e9a 16fe2 1e5ff
  1e95e-1e95f
`);

/** Punctuation and nonspacing marks of old that have since been moved to other categories. */
const FORMER_PUNCTUATION = setOf("166d 111c9");
const FORMER_MARKS = setOf("1734 1171e");

/** Format characters that the reference does not know: it keeps them. */
const KEPT_FORMATS = setOf("890-891 8e2 110cd 13430-1343f");

/** The reference's blocks of ideographs; its sixth begins at 2B920 where the Unicode block begins at 2B820. */
const IDEOGRAPHS = setOf(
  "4e00-9fff 3400-4dbf 20000-2a6df 2a700-2b73f 2b740-2b81f 2b920-2ceaf f900-faff 2f800-2fa1f",
);

const REMOVED = new RegExp(`[[\\0\\uFFFD\\p{Cc}\\p{Cf}\\p{Co}]--[\\t\\n\\r${KEPT_FORMATS}]]`, "gv");
const WHITE_SPACE = /\p{White_Space}/gu;
const IDEOGRAPH = new RegExp(`[${IDEOGRAPHS}]`, "gu");
const MARKS = new RegExp(`[[\\p{Mn}${FORMER_MARKS}]--[${KEPT_MARKS}]]`, "gv");
/**
 * In pieces: sorting a run of marks takes time by its square, and 10,000 of them a tenth of a second. A piece ends within such a run only where that is over
 * 1,000 long; marks that are kept are then sorted on either side.
 */
const DECOMPOSED = new RegExp(
  `[^${NOT_DECOMPOSED}]{1,1000}(?:(?=\\p{M})[^${NOT_DECOMPOSED}]){0,1000}`,
  "gu",
);
export const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;

const PUNCTUATION = `[[\\p{P}!-\\/\\:-@\\[-\`\\{-~${FORMER_PUNCTUATION}]--[${NOT_PUNCTUATION}]]`;
const WORD = new RegExp(`${PUNCTUATION}|[^${PUNCTUATION}\\p{White_Space}]+`, "gv");

/** The `normalizer` section of a tokenizer.json, where its type is BertNormalizer. */
export interface BertNormalizerOptions {
  readonly clean_text: boolean;
  readonly handle_chinese_chars: boolean;
  /** null: as `lowercase`. */
  readonly strip_accents: boolean | null;
  readonly lowercase: boolean;
}

export function bertNormalizer(options: BertNormalizerOptions): (text: string) => string {
  const steps = [
    options.clean_text && cleaned,
    options.handle_chinese_chars && withIdeographsApart,
    (options.strip_accents ?? options.lowercase) && withoutAccents,
    options.lowercase && lowerCased,
  ].filter((step) => typeof step === "function");
  const inAscii = (text: string) => (options.lowercase ? text.toLowerCase() : text);
  return (text) =>
    PRINTABLE_ASCII.test(text) ? inAscii(text) : steps.reduce((result, step) => step(result), text);
}

const cleaned = (text: string): string => text.replace(REMOVED, "").replace(WHITE_SPACE, " ");

const withIdeographsApart = (text: string): string => text.replace(IDEOGRAPH, " $& ");

const withoutAccents = (text: string): string =>
  text.replace(DECOMPOSED, (run) => run.normalize("NFD")).replace(MARKS, "");

/** The reference lower-cases letter by letter: a capital sigma is never a final one. */
const lowerCased = (text: string): string => text.replaceAll("\u03A3", "\u03C3").toLowerCase();

/** Words, and punctuation characters one by one. */
export const bertPreTokenizer = (text: string): string[] => text.match(WORD) ?? [];

/** What a character is, by its code. */
const [SPACE, PUNCTUATION_MARK, LETTER] = [0, 1, 2];
const ANY_PUNCTUATION = new RegExp(PUNCTUATION, "v");
const KINDS = Uint8Array.from({ length: 0x7f }, (_, code) => {
  const character = String.fromCharCode(code);
  if (/\s/u.test(character)) return SPACE;
  return ANY_PUNCTUATION.test(character) ? PUNCTUATION_MARK : LETTER;
});

/**
 * The same of a text that is printable ASCII, as most are: where each begins and ends, in its order. Without a string for each word, as the pattern makes, reading a text
 * takes a fifth less.
 */
export function eachAsciiWord(text: string, take: (begin: number, end: number) => void): void {
  const kindAt = (place: number) => KINDS[text.charCodeAt(place)];
  for (let end = 0; end < text.length; ) {
    const begin = end++;
    const kind = kindAt(begin);
    if (kind === SPACE) continue;
    if (kind === LETTER) while (end < text.length && kindAt(end) === LETTER) end++;
    take(begin, end);
  }
}
