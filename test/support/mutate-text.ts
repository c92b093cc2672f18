import type { Draw } from "../unit/seeded.js";

const oneOf = <Item>(draw: Draw, items: readonly Item[]): Item =>
  items[draw(0, items.length - 1)] as Item;

/** Words that a file of settings or labels could hold, and does not. */
const ODD_WORDS = [
  ..."|\0|\ufeff|{|}|[|]|\"|'|:|,|#|\\|<|>|-1|0|1e999|NaN|inf|true|\u202e|__proto__".split("|"),
  '"\\355\\240\\200"',
  "9".repeat(400),
  "[".repeat(5000),
  "{".repeat(5000),
  "input {".repeat(3000),
  "x".repeat(100_000),
];

type Mutation = (text: string, draw: Draw) => string;

const MUTATIONS: readonly Mutation[] = [
  (text, draw) => text.slice(0, draw(0, text.length)),
  (text, draw) => text.slice(draw(0, text.length)),
  (text, draw) => {
    const place = draw(0, text.length);
    return text.slice(0, place) + oneOf(draw, ODD_WORDS) + text.slice(place + draw(0, 3));
  },
  (text, draw) => {
    const place = draw(0, Math.max(0, text.length - 1));
    return text.slice(0, place) + String.fromCharCode(draw(0, 0x17f)) + text.slice(place + 1);
  },
  (text, draw) => {
    const lines = text.split("\n");
    const line = lines[draw(0, lines.length - 1)] ?? "";
    lines.splice(draw(0, lines.length), draw(0, 2), ...Array<string>(draw(0, 3)).fill(line));
    return lines.join("\n");
  },
  // One of its words, or of its numbers, is another.
  (text, draw) => {
    const words = [...text.matchAll(/\w+|"[^"]*"/g)];
    const word = words[draw(0, words.length - 1)];
    if (word === undefined) return text;
    const end = word.index + word[0].length;
    const other = draw(0, 1) === 0 ? oneOf(draw, ODD_WORDS) : oneOf(draw, words)[0];
    return text.slice(0, word.index) + other + text.slice(end);
  },
];

/** The text, spoilt in one to three ways. */
export function mutatedText(text: string, draw: Draw): string {
  let result = text;
  for (let times = draw(1, 3); times > 0; times--) result = oneOf(draw, MUTATIONS)(result, draw);
  return result;
}

const ODD_VALUES: readonly unknown[] = [
  ...[null, true, -1, 0, 1.5, 1e99, 2 ** 40, "", "x", "[UNK]", "(", "\ud800", [], {}, [[]]],
  [null],
  { type: "Sequence" },
  { type: "WordPiece" },
  { type: 7 },
];

/** Every place in a JSON value that something else can be put at. */
function* placesOf(
  value: unknown,
): Generator<readonly [holder: Record<string, unknown>, key: string]> {
  if (typeof value !== "object" || value === null) return;
  const holder = value as Record<string, unknown>;
  for (const key of Object.keys(holder)) {
    yield [holder, key];
    yield* placesOf(holder[key]);
  }
}

/** JSON of which one to three values are others, or gone. */
export function mutatedJson(text: string, draw: Draw): string {
  const value: unknown = JSON.parse(text);
  for (let times = draw(1, 3); times > 0; times--) {
    const places = [...placesOf(value)];
    const place = places[draw(0, places.length - 1)];
    if (place === undefined) break;
    const [holder, key] = place;
    if (draw(0, 3) === 0) delete holder[key];
    else holder[key] = structuredClone(oneOf(draw, ODD_VALUES));
  }
  return JSON.stringify(value);
}
