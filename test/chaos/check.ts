import { Status } from "nice-grpc-common";

/** What is said of a text. */
export interface Verdict {
  readonly label: number;
  readonly score: number;
}

/** Why a call, or a text of it, was not answered. */
export interface Failure {
  readonly code: Status;
  readonly message: string;
  /** When another try makes sense; undefined: nobody said. */
  readonly retryAfterSeconds: number | undefined;
}

export type Outcome = "right" | "wrong" | "refused" | "failed";

/** Whoever runs a model, the same text must get the same answer: the ranges of its activations are fixed (docs/decisions.md, 1). */
const TOLERANCE = 1e-5;

/** How far apart the scores of two verdicts are; Infinity where not even their labels are the same. */
export const distanceOf = (one: Verdict, other: Verdict | undefined): number =>
  one.label === other?.label ? Math.abs(one.score - other.score) : Number.POSITIVE_INFINITY;

/** A text that nothing is known of cannot have been answered rightly. */
export const outcomeOf = (verdict: Verdict, truth: Verdict | undefined): Outcome =>
  distanceOf(verdict, truth) <= TOLERANCE ? "right" : "wrong";

/** A server that has too much to do may refuse, if it says when to come again; there is no other reason not to answer. */
export const outcomeOfFailure = ({ code, retryAfterSeconds }: Failure): Outcome =>
  code === Status.RESOURCE_EXHAUSTED && retryAfterSeconds !== undefined ? "refused" : "failed";

/** A single text, which gRPC does not try again, may be told that what would have run it is down, and when to ask again: then its caller does. */
export const isToldToAskAgain = ({ code, retryAfterSeconds }: Failure): boolean =>
  code === Status.UNAVAILABLE && retryAfterSeconds !== undefined;

const WORST: readonly Outcome[] = ["wrong", "failed", "refused", "right"];

/** Of a call with several texts. */
export const worstOf = (outcomes: readonly Outcome[]): Outcome =>
  WORST.find((one) => outcomes.includes(one)) ?? "failed";
