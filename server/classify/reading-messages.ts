import type { Question, Reading } from "./reading.js";

/** What a reading thread is asked. A tokenizer goes by its digest, so that no text is read by another than its model's. */
export type ReadingRequest =
  | { readonly kind: "load"; readonly digest: string; readonly path: string }
  | { readonly kind: "forget"; readonly digest: string }
  | {
      readonly kind: "read";
      readonly digest: string;
      readonly text: string;
      /** Whose key the call came with, "" without keys: those share the threads. */
      readonly holder: string;
      /** What the model reads at once, special tokens left out. */
      readonly room: number;
      readonly question: Question;
    };

/** Of a text: all but itself, which who asked has. */
export type ReadingResult = Omit<Reading, "text"> | undefined;
