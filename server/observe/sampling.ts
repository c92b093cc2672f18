import { getNumberFromEnv, getStringFromEnv } from "@opentelemetry/core";
import { AlwaysOnSampler, ParentBasedSampler, type Sampler } from "@opentelemetry/sdk-trace";

/** Which calls are traced. */
export interface Sampling {
  /** undefined: the SDK's own, by OTEL_TRACES_SAMPLER. */
  readonly sampler: Sampler | undefined;
  /** Drawn anew each time: whether a trace that would begin here goes on to the sampler. */
  readonly isDrawn: () => boolean;
}

/**
 * OTEL_TRACES_SAMPLER=parentbased_traceidratio draws by a random number for traces that begin here. The SDK draws by the trace's id, and makes two ids and all that a sampler may ask
 * for before it does: 3 % of cached calls a second where one call in a hundred is traced. Who has a parent is decided about as ever. The ratio is 1 where there is none from 0 to 1.
 */
export function samplingFromEnv(): Sampling {
  if (getStringFromEnv("OTEL_TRACES_SAMPLER") !== "parentbased_traceidratio")
    return { sampler: undefined, isDrawn: () => true };
  const given = getNumberFromEnv("OTEL_TRACES_SAMPLER_ARG") ?? 1;
  const ratio = given >= 0 && given <= 1 ? given : 1;
  return {
    sampler: new ParentBasedSampler({ root: new AlwaysOnSampler() }),
    isDrawn: () => Math.random() < ratio,
  };
}
