import { SingleBar } from "cli-progress";
import type { Chunks } from "./chunks.js";

/** Tells a person how far it is. */
export interface Progress {
  /** Called for each record: `answered` of them so far, of this run. */
  at(answered: number): void;
  /** What it waits for, until the next record. */
  note(words: string): void;
  stop(): void;
}

export const SILENT: Progress = { at: () => {}, note: () => {}, stop: () => {} };

const EVERY_MS = 100;
/** The time left is told by the speed of the last ten seconds. */
const SPEEDS = 100;

/** A bar on the terminal, by the bytes of the input that have been read; without one where these are not known. */
export function barOf(input: Chunks, terminal: NodeJS.WriteStream): Progress {
  const known = "{bar} {percentage} % | {texts} texts, {rate}/s | {eta_formatted} left{note}";
  const bar = new SingleBar({
    format: input.size > 0 ? known : "{texts} texts, {rate}/s | {duration_formatted}{note}",
    stream: terminal,
    etaBuffer: SPEEDS,
  });
  const shown = { texts: 0, rate: 0, note: "" };
  let begunMs: number | undefined;
  let updatedMs = 0;
  const update = (answered: number, nowMs: number) => {
    updatedMs = nowMs;
    // What was skipped on the way to the first answer would make the rate look better than it is.
    if (answered > 0) begunMs ??= nowMs;
    const seconds = (nowMs - (begunMs ?? nowMs)) / 1000;
    Object.assign(shown, {
      texts: answered,
      rate: seconds > 0 ? Math.round(answered / seconds) : 0,
    });
    bar.update(input.read(), shown);
  };
  bar.start(input.size, 0, shown);
  return {
    at(answered) {
      shown.note = "";
      shown.texts = answered;
      const nowMs = performance.now();
      if (nowMs - updatedMs >= EVERY_MS) update(answered, nowMs);
    },
    note(words) {
      shown.note = ` | ${words}`;
      update(shown.texts, performance.now());
    },
    stop() {
      update(shown.texts, performance.now());
      bar.stop();
    },
  };
}
