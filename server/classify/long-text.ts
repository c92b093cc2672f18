import { ServiceError } from "../core/errors.js";

/** What to do with a text that has more tokens than the model reads at once. */
export type LongText = "windows" | "truncate" | "reject";

/**
 * Cuts a text's token ids into windows of at most `room` tokens. Windows are of near-equal length, so that the last one is
 * not a stump without context.
 */
export function windowsOf(
  ids: readonly number[],
  room: number,
  longText: LongText,
): readonly (readonly number[])[] {
  if (ids.length <= room) return [ids];
  if (longText === "truncate") return [ids.slice(0, room)];
  if (longText === "reject") {
    throw new ServiceError(
      "TEXT_TOO_LONG",
      `The text has ${ids.length} tokens, the model reads ${room}: shorten it, or allow windows.`,
    );
  }
  const count = Math.ceil(ids.length / room);
  return Array.from({ length: count }, (_, window) =>
    ids.slice(
      Math.floor((window * ids.length) / count),
      Math.floor(((window + 1) * ids.length) / count),
    ),
  );
}
