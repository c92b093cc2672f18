import type { Clock } from "../../core/clock.js";
import { messageOf, ServiceError } from "../../core/errors.js";
import {
  type Backend,
  type InferContext,
  type ModelVersion,
  type TokenBatch,
  versionText,
} from "../backend.js";
import { Endpoint, EndpointFault, type ReportEndpoint } from "./endpoint.js";

export interface TritonOptions {
  /** host:port of each server's gRPC. */
  readonly urls: readonly string[];
}

/** Batches of one model that one server gets at once: its two instances work, and one is on its way. Of four each was smaller, and a fifth slower. */
const CONCURRENCY_PER_SERVER = 3;
/** A request costs Triton more than padding does: 0.12 made batches a quarter smaller. */
const MAX_PADDING_RATIO = 0.25;

/** Of a batch at one server, as long as that can be trusted: of several behind its name one may have gone. */
const MOST_TRIES = 2;

/** One or several NVIDIA Triton servers: a batch goes to the one with the fewest under way, and on to the next where that one fails. */
export function tritonBackend(
  { urls }: TritonOptions,
  clock: Clock,
  report: ReportEndpoint,
): Backend {
  const endpoints = urls.map((url) => new Endpoint(url, clock, report));
  const choose = (model: ModelVersion, tried: readonly Endpoint[]): Endpoint | undefined => {
    const triesOf = (one: Endpoint) => tried.filter((other) => other === one).length;
    return endpoints
      .filter((one) => triesOf(one) < MOST_TRIES && one.serves(model))
      .toSorted((one, other) => triesOf(one) - triesOf(other) || one.inFlight - other.inFlight)[0];
  };

  async function logitsOf(
    model: ModelVersion,
    batch: TokenBatch,
    context: InferContext,
  ): Promise<Float32Array> {
    const tried: Endpoint[] = [];
    let fault: unknown;
    for (let one = choose(model, tried); one !== undefined; one = choose(model, tried)) {
      try {
        return await one.infer(model, batch, context);
      } catch (error) {
        if (!(error instanceof EndpointFault)) throw error;
        tried.push(one);
        fault = error;
      }
    }
    throw down(fault);
  }

  return {
    name: "triton",
    concurrency: CONCURRENCY_PER_SERVER * urls.length,
    maxInFlight: CONCURRENCY_PER_SERVER * urls.length,
    maxPaddingRatio: MAX_PADDING_RATIO,
    isUp: (model) => endpoints.some((one) => one.serves(model)),
    status() {
      const servers = endpoints.map(({ state }) => state);
      return [{ backend: "triton", up: servers.some(({ up }) => up), servers }];
    },

    async load(model) {
      const outcomes = await Promise.allSettled(endpoints.map((one) => one.load(model)));
      const faults = outcomes.flatMap((outcome, place) =>
        outcome.status === "rejected" ? [`${urls[place]}: ${messageOf(outcome.reason)}`] : [],
      );
      if (faults.length === urls.length) throw down(new Error(faults.join("; ")));
    },

    async unload(model) {
      await Promise.allSettled(endpoints.map((one) => one.unload(model)));
    },

    async infer(model, batch, context) {
      const logits = await logitsOf(model, batch, context);
      return { logits, version: versionText("triton", model) };
    },

    [Symbol.asyncDispose]: async () => {
      for (const one of endpoints) one[Symbol.dispose]();
    },
  };
}

/** `cause` is for the log and for admins: callers need not know addresses. */
const down = (cause: unknown): ServiceError =>
  new ServiceError("BACKEND_DOWN", "No Triton server answers for the model: try again later.", {
    retryAfterMs: 1000,
    cause,
  });
