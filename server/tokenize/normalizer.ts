import { type BertNormalizerOptions, bertNormalizer } from "./bert.js";

export type Normalize = (text: string) => string;

/** A `normalizer` section of a tokenizer.json, as far as this server looks into it. */
export interface NormalizerSection {
  readonly type: string;
  /** Of a Sequence. */
  readonly normalizers?: readonly NormalizerSection[];
  /** Of a BertNormalizer. */
  readonly lowercase?: boolean;
  /** Of a Replace. */
  readonly pattern?: { readonly String?: string };
  readonly content?: string;
}

/** The engine's own function for a section; of a Sequence, `normalizers` are those of its steps. */
export type EngineNormalizer = Normalize & { readonly normalizers?: readonly EngineNormalizer[] };

/** What a section does, by the engine's functions where they are as the reference is, and quick enough. */
export function normalizerOf(section: NormalizerSection, engine: EngineNormalizer): Normalize {
  if (section.type === "BertNormalizer")
    return bertNormalizer(section as unknown as BertNormalizerOptions);
  if (section.type !== "Sequence") return engine;
  const steps: Normalize[] = [];
  let run: NormalizerSection[] = [];
  for (const [place, step] of (section.normalizers ?? []).entries()) {
    if (isCharacterReplace(step)) run.push(step);
    else {
      steps.push(...atOnce(run), normalizerOf(step, engine.normalizers?.[place] ?? engine));
      run = [];
    }
  }
  steps.push(...atOnce(run));
  return (text) => steps.reduce((result, step) => step(result), text);
}

const isCharacterReplace = ({ type, pattern }: NormalizerSection): boolean =>
  type === "Replace" && pattern?.String !== undefined && [...pattern.String].length === 1;

/**
 * Neighbouring replacements of single characters in one pass: a tokenizer that reads emoji as words has 1,405, and each
 * would go through the whole text. One after the other they are, too, where a later one would meet an earlier one's words.
 */
function atOnce(run: readonly NormalizerSection[]): Normalize[] {
  const words = new Map<string, string>();
  for (const { pattern, content = "" } of run) {
    const character = pattern?.String ?? "";
    if (!words.has(character)) words.set(character, content);
  }
  const meets = run.some(({ content = "" }) => [...content].some((letter) => words.has(letter)));
  if (meets) {
    return run.map(
      ({ pattern, content = "" }) =>
        (text) =>
          text.replaceAll(pattern?.String ?? "", () => content),
    );
  }
  if (words.size === 0) return [];
  const any = new RegExp(`[${[...words.keys()].map(escaped).join("")}]`, "gu");
  const inAscii = [...words.keys()].some((character) => ASCII.test(character));
  return [
    (text) =>
      !inAscii && ASCII.test(text)
        ? text
        : text.replace(any, (character) => words.get(character) ?? character),
  ];
}

/** Without the sign for a deletion, and those that are none, which do not matter here. */
const ASCII = /^[\0-\x7e]*$/;

const escaped = (character: string): string => character.replace(/[\\\]^-]/u, "\\$&");
