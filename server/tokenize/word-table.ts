import { hashBitsOf } from "../core/share.js";

/** A power of two. */
const PLACES = 2 ** 15;
/** 32-bit numbers of one: twice as many bytes as a CPU takes from memory at once. Most words need the first half; those that are cut letter by letter have an id for each. */
const NUMBERS = 32;
/** A word may stand in as many, beginning with its own, so that two with the same need not take turns. */
const CHOICE = 4;

/** Half a number each: how long the word is, and how many ids it has; its UTF-16 units come next. */
const [LENGTH, COUNT, LETTERS] = [0, 1, 2];
const numbersBefore = (length: number): number => (LETTERS + length + 1) >>> 1;

/**
 * Ids of words. Those that a Map has lie all over the heap: beside threads that compute, each look-up waits for memory several times, which was a twelfth of what a single call
 * cost the event loop. Here a word and its ids are one line of the CPU's cache, or two. Where all places of a word are taken, it is put in the first: it takes
 * 4 MB, however many words there are. Words of over 60 letters, or of so many ids that both do not fit, are not kept.
 */
class WordTable {
  readonly #numbers = new Int32Array(PLACES * NUMBERS);
  readonly #halves = new Uint16Array(this.#numbers.buffer);

  /** Puts the ids of the word from `begin` to `end` behind `ids`. False: it is not known. */
  append(text: string, begin: number, end: number, ids: number[]): boolean {
    const length = end - begin;
    if (!isKept(length)) return false;
    const home = hashBitsOf(text, begin, end);
    for (let choice = 0; choice < CHOICE; choice++) {
      const place = placeAt(home + choice);
      if (!this.#has(place, text, begin, length)) continue;
      const first = place + numbersBefore(length);
      const count = this.#halves[2 * place + COUNT] ?? 0;
      for (let number = first; number < first + count; number++)
        ids.push(this.#numbers[number] ?? 0);
      return true;
    }
    return false;
  }

  /** Keeps the word's ids, where they fit. */
  set(word: string, ids: readonly number[]): void {
    const { length } = word;
    if (!isKept(length) || numbersBefore(length) + ids.length > NUMBERS) return;
    const place = this.#placeFor(word);
    const half = 2 * place;
    this.#halves[half + LENGTH] = length;
    this.#halves[half + COUNT] = ids.length;
    for (let letter = 0; letter < length; letter++)
      this.#halves[half + LETTERS + letter] = word.charCodeAt(letter);
    this.#numbers.set(ids, place + numbersBefore(length));
  }

  #placeFor(word: string): number {
    const home = hashBitsOf(word);
    for (let choice = 0; choice < CHOICE; choice++) {
      const place = placeAt(home + choice);
      if (this.#halves[2 * place + LENGTH] === 0) return place;
    }
    return placeAt(home);
  }

  #has(place: number, text: string, begin: number, length: number): boolean {
    const halves = this.#halves;
    const half = 2 * place;
    if (halves[half + LENGTH] !== length) return false;
    for (let letter = 0; letter < length; letter++)
      if (halves[half + LETTERS + letter] !== text.charCodeAt(begin + letter)) return false;
    return true;
  }
}

/** No letters are what a free place has. */
const isKept = (length: number): boolean => length > 0 && numbersBefore(length) < NUMBERS;

const placeAt = (which: number): number => (which & (PLACES - 1)) * NUMBERS;

/** Puts the ids of a text's word, from `begin` to `end`, behind `ids`. */
type AppendWord = (text: string, begin: number, end: number, ids: number[]) => void;

/** Remembers the ids of short words. A word's ids depend on the word alone, so they stay exact, and most words of a text are among some ten thousand. */
export function withWordTable(idsOf: (word: string) => readonly number[]): AppendWord {
  const known = new WordTable();
  return (text, begin, end, all) => {
    if (known.append(text, begin, end, all)) return;
    const word = text.slice(begin, end);
    const ids = idsOf(word);
    known.set(word, ids);
    for (const id of ids) all.push(id);
  };
}
