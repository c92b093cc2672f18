import type { Span } from "../api/messages.ts";

/** Cuts a text by code points, which the API counts in; JavaScript counts those beyond U+FFFF twice. */
export function cutter(text: string): (span: Span) => string {
  // With no such character both counts are the same, and nothing has to be taken apart.
  if (!/[\u{10000}-\u{10ffff}]/u.test(text)) return ({ begin, end }) => text.slice(begin, end);
  const points = [...text];
  return ({ begin, end }) => points.slice(begin, end).join("");
}

export function codePoints(text: string): number {
  let points = 0;
  for (const _ of text) points++;
  return points;
}
