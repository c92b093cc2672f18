import { createHash } from "node:crypto";
import { messageOf, StartupError } from "../core/errors.js";
import { readWhole } from "../core/files.js";
import { type Engine, type EngineFile, engineOf, TRIAL } from "./engine.js";
import type { NormalizerSection } from "./normalizer.js";

export interface Tokenizer {
  /** Token ids of the text without special tokens, in the order of the text; [] where it finds nothing to read. */
  encode(text: string): readonly number[];
  /** What the model wants before and after a text's ids (BERT: [CLS], [SEP]). */
  readonly prefix: readonly number[];
  readonly suffix: readonly number[];
  /** Fills rows up to the longest of a batch; masked out, so any id of the vocabulary serves. */
  readonly padId: number;
  /** Stands for what the vocabulary has no word for; undefined: it has one for everything. */
  readonly unknownId: number | undefined;
  /** sha-256 of tokenizer.json, hex. */
  readonly digest: string;
  /** It tells neither upper from lower case nor one space from several, in ASCII. */
  readonly isCaseless: boolean;
}

/** What this server reads of a tokenizer.json besides the engine. */
interface TokenizerFile extends EngineFile {
  readonly model?: EngineFile["model"] & {
    readonly unk_token?: string | null;
    readonly unk_id?: number | null;
    /** By token; of a Unigram, a list whose places are the ids. */
    readonly vocab?: Readonly<Record<string, unknown>> | readonly unknown[];
  };
  readonly padding?: { readonly pad_id?: number } | null;
  readonly added_tokens?: readonly { readonly id: number; readonly content: string }[];
}

/** The largest vocabularies of today take 35 MB. */
const MOST_BYTES = 256 * 2 ** 20;

const PAD_TOKENS = new Set(["[PAD]", "<pad>"]);

/**
 * Reads a tokenizer.json of any kind that @huggingface/tokenizers knows. Its truncation and padding are ignored: both are
 * the server's. Ids equal the reference's (see bert.ts). Throws StartupError that names the file and the mend.
 */
export async function loadTokenizer(path: string): Promise<Tokenizer> {
  const bytes = await readWhole(path, MOST_BYTES).catch((error: unknown) => {
    throw new StartupError(
      `${path} cannot be read (${messageOf(error)}): add the model's tokenizer.json`,
      error,
    );
  });
  try {
    const file = JSON.parse(bytes.toString("utf8")) as TokenizerFile;
    const engine = engineOf(file);
    // A letter in every vocabulary; what stands around its own tokens are the special ones.
    const bare = engine.encode("a", false);
    const framed = engine.encode("a", true);
    const begin = framed.findIndex((_, place) => bare.every((id, i) => framed[place + i] === id));
    if (begin < 0) throw new Error("its post_processor changes the text's own tokens");
    const [padId, unknownId] = [padIdOf(file), unknownIdOf(engine, file)];
    checkIds(file, [...framed, padId, ...engine.encode(TRIAL, false)]);
    return {
      // What is not well-formed was refused before; here it must only not break the engine.
      encode: (text) => engine.encode(text.toWellFormed(), false),
      prefix: framed.slice(0, begin),
      suffix: framed.slice(begin + bare.length),
      padId,
      unknownId,
      digest: createHash("sha256").update(bytes).digest("hex"),
      isCaseless: lowersCase(file.normalizer) && file.pre_tokenizer?.type === "BertPreTokenizer",
    };
  } catch (error) {
    throw new StartupError(
      `${path} is not a tokenizer (${messageOf(error)}): use the tokenizer.json that belongs to the model`,
      error,
    );
  }
}

const MOST_ID = 2 ** 31 - 1;

/** One that is none would fail every text that has it, and its neighbours in the batch. Throws. */
function checkIds({ model, added_tokens }: TokenizerFile, others: readonly unknown[]): void {
  const vocab = model?.vocab ?? {};
  const ids: readonly unknown[] = Array.isArray(vocab) ? [] : Object.values(vocab);
  for (const id of [...ids, ...(added_tokens ?? []).map((token) => token.id), ...others]) {
    const isId = typeof id === "number" && Number.isInteger(id) && id >= 0 && id <= MOST_ID;
    if (!isId) throw new Error(`${id} is no id of a token`);
  }
}

const lowersCase = (section: NormalizerSection | null | undefined): boolean =>
  section?.type === "BertNormalizer"
    ? section.lowercase === true
    : (section?.normalizers ?? []).some(lowersCase);

const padIdOf = ({ padding, added_tokens }: TokenizerFile): number =>
  padding?.pad_id ?? added_tokens?.find(({ content }) => PAD_TOKENS.has(content))?.id ?? 0;

/** WordPiece and BPE name the token, Unigram says its id. */
function unknownIdOf(engine: Engine, { model }: TokenizerFile): number | undefined {
  if (typeof model?.unk_id === "number") return model.unk_id;
  return model?.unk_token ? engine.idOf(model.unk_token) : undefined;
}
