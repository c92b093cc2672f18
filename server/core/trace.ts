import type { Call } from "./call.js";
import { ServiceError } from "./errors.js";

/** Counts, names and shares: never a text, never a key. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** Whom a step is done for: `server` takes a call, `client` asks another process, `internal` does neither. */
export type SpanKind = "server" | "client" | "internal";

export interface SpanOptions {
  /** Default: internal. */
  readonly kind?: SpanKind;
  readonly attributes?: Attributes;
  /** Spans of other calls that the step is done for as well. */
  readonly links?: readonly Span[];
}

/** A call that is traced, or a step of one, that is under way. Nothing here throws. */
export interface Span {
  /** W3C trace context, for whoever does a part of it in another process. */
  readonly traceparent: string;
  readonly tracestate?: string | undefined;
  readonly traceId: string;
  /** A step of it, from now on. */
  step(name: string, options?: SpanOptions): Span;
  set(attributes: Attributes): void;
  /** Why it came to nothing. It must still be ended. */
  failed(error: unknown): void;
  /** Now, or so many milliseconds after it began. */
  end(afterMs?: number): void;
}

/** Begins the spans of calls. */
export interface Tracer {
  /** Of the call whose W3C trace context came along, if any did; undefined: this call is not traced. */
  begin(
    name: string,
    parent: string | undefined,
    state: string | undefined,
    links?: readonly Span[],
  ): Span | undefined;
}

/** For a span: a message may quote what a caller sent. */
export function errorTypeOf(error: unknown): string {
  if (error instanceof ServiceError) return error.reason;
  return error instanceof Error ? error.name : typeof error;
}

/** Of the trace that a call belongs to, here or elsewhere. */
export const traceIdOf = ({ span, origin }: Call): string | undefined =>
  // From the 3rd to the 35th character.
  span?.traceId ?? origin.traceparent?.slice(3, 35);

/** Does the work that the span is of, and ends it. Without one it is the work alone: each promise around it would cost every call. */
export const within = <T>(span: Span | undefined, work: () => Promise<T>): Promise<T> =>
  span === undefined ? work() : endedBy(span, work);

async function endedBy<T>(span: Span, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    span.failed(error);
    throw error;
  } finally {
    span.end();
  }
}

/** Does the work as a step of the call. Where that is not traced it is the work alone. */
export function asStep<T>(
  { span: whole }: Call,
  name: string,
  work: (span: Span | undefined) => Promise<T>,
  options?: SpanOptions,
): Promise<T> {
  const span = whole?.step(name, options);
  return within(span, () => work(span));
}
