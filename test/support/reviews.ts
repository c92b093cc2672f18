import { sentences } from "./sentences.js";

/** So many records of a CSV with a header: quotes, commas and ends of lines here and there, an empty text now and then. */
export function reviewsCsv(count: number, distinct = count): string {
  const texts = sentences(distinct);
  const records = Array.from({ length: count }, (_, place) => {
    const text = texts[place % distinct] ?? "";
    return `${place},${fieldOf(text, place)},"${place % 5} of ""5"""\n`;
  });
  return `id,review,stars\n${records.join("")}`;
}

function fieldOf(text: string, place: number): string {
  if (place % 997 === 5) return "";
  if (place % 7 === 0) return `"${text.replace(" ", "\n")}"`;
  if (place % 11 === 0) return `"""So,"" she said,\r\n\r\n""${text}"""`;
  return text.includes(",") ? `"${text}"` : text;
}

/** How many of the records above have no text. */
export const emptyAmong = (count: number): number => Math.floor((count + 991) / 997);
