import { status } from "@grpc/grpc-js";
import type { Clock } from "../../core/clock.js";
import { messageOf, ServiceError } from "../../core/errors.js";
import { within } from "../../core/within.js";
import {
  type InferContext,
  keyOf,
  ModelError,
  type ModelVersion,
  type ServerState,
  type TokenBatch,
} from "../backend.js";
import { checkLogits } from "../logits.js";
import { padded } from "../padding.js";
import { GivenUpError, InFlight } from "./in-flight.js";
import { checkServed } from "./same-model.js";
import { TritonClient } from "./triton-client.js";
import { codeOf } from "./unary.js";

const UP_PROBE_MS = 2000;
const DOWN_PROBE_MS = 250;
/** It waits behind the batches of all who use the server. */
const PROBE_LIMIT_MS = 10_000;
const LIVE_LIMIT_MS = 1000;

/** An endpoint could not answer, for no fault of the batch: another one may. */
export class EndpointFault extends Error {}

/** Told when an endpoint goes down or comes back; for the log. */
export type ReportEndpoint = (event: "down" | "up", url: string, detail: string) => void;

/**
 * One Triton server, behind a breaker that opens when it is gone or silent. Only probes close it, and they are inferences: Triton calls a model ready
 * whose process has died. While it is down they come every quarter of a second, and what it serves is checked anew before it gets a batch again.
 */
export class Endpoint implements Disposable {
  readonly url: string;
  /** Models that it ought to answer for, by key. */
  readonly #wanted = new Map<string, ModelVersion>();
  /** Those that it does answer for. */
  readonly #ready = new Set<string>();
  readonly #inFlight: InFlight;
  readonly #clock: Clock;
  readonly #report: ReportEndpoint;
  #client: TritonClient;
  /** Nothing is sent to it but probes. */
  #isOpen = false;
  #live: Promise<boolean> | undefined;
  #reported: "up" | "down" | undefined;
  #cancelProbe: (() => void) | undefined;
  #probing = false;
  #closed = false;

  constructor(url: string, clock: Clock, report: ReportEndpoint) {
    this.url = url;
    this.#clock = clock;
    this.#report = report;
    this.#client = new TritonClient(url);
    this.#inFlight = new InFlight(clock, {
      isLive: () => this.#isLive(),
      onSilent: () => this.#fellSilent(),
      onStuck: (model) => this.#ready.delete(model),
    });
    this.#probeLater();
  }

  /** Batches under way, and probes. */
  get inFlight(): number {
    return this.#inFlight.count;
  }

  /** Up: it answers for what it ought to. */
  get state(): ServerState {
    const breaker = this.#isOpen ? "open" : "closed";
    return { url: this.url, up: !this.#isDown(), breaker, underWay: this.inFlight };
  }

  /** Whether a batch of the model may be sent to it now. */
  serves(model: ModelVersion): boolean {
    return !this.#isOpen && this.#ready.has(keyOf(model));
  }

  /** Logits, shape [rows, classes]. Throws EndpointFault, ModelError, DEADLINE where the callers' is past, or the signal's reason. */
  async infer(
    model: ModelVersion,
    batch: TokenBatch,
    { signal, deadlineMs, traceparent, tracestate }: InferContext,
  ): Promise<Float32Array> {
    const limitMs = deadlineMs - this.#clock.now();
    try {
      return await this.#inFlight.run(keyOf(model), signal, (end) =>
        this.#client.infer(model, batch, { signal: end, limitMs, traceparent, tracestate }),
      );
    } catch (error) {
      signal.throwIfAborted();
      // No fault of the endpoint's, and another one would have no time at all.
      if (codeOf(error) === status.DEADLINE_EXCEEDED) throw late(error);
      await this.#learnFrom(error, model);
      this.#noteState(messageOf(error));
      signal.throwIfAborted();
      throw new EndpointFault(`${this.url}: ${messageOf(error)}`, { cause: error });
    }
  }

  /** From now on it ought to answer for the model. Throws what is wrong where it does not. */
  async load(model: ModelVersion): Promise<void> {
    const key = keyOf(model);
    // Wanted also where it fails: it goes on being tried. But not before: what is being loaded is not missing.
    await this.#admit(model).finally(() => this.#wanted.set(key, model));
    this.#ready.add(key);
    this.#isOpen = false;
    this.#noteState(`${model.name} answers`);
  }

  /** It need not answer for the model any more, and where it lets itself be told, unloads it. */
  async unload(model: ModelVersion): Promise<void> {
    this.#wanted.delete(keyOf(model));
    this.#ready.delete(keyOf(model));
    this.#inFlight.forget(keyOf(model));
    // All versions are unloaded together.
    if ([...this.#wanted.values()].some(({ name }) => name === model.name)) return;
    await this.#client.unload(model.name);
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#cancelProbe?.();
    this.#client[Symbol.dispose]();
  }

  async #learnFrom(error: unknown, model: ModelVersion): Promise<void> {
    // What that says of the server is known already.
    if (error instanceof GivenUpError) return;
    const code = codeOf(error);
    if (code === status.UNAVAILABLE) await this.#doubt(model);
    else if (code === status.NOT_FOUND) this.#ready.delete(keyOf(model));
    else await this.#blame(model, error);
  }

  /** The server may be gone, or one of several behind its name; or the model is being loaded, or its queue is full: all are UNAVAILABLE. */
  async #doubt(model: ModelVersion): Promise<void> {
    if (await this.#isLive()) await this.#ask(model).catch(() => this.#ready.delete(keyOf(model)));
    else this.#isOpen = true;
  }

  /** Asked once for all who want to know. */
  #isLive(): Promise<boolean> {
    this.#live ??= within(LIVE_LIMIT_MS, this.#clock, this.#client.isLive())
      .catch(() => false)
      .finally(() => {
        this.#live = undefined;
      });
    return this.#live;
  }

  #fellSilent(): void {
    if (this.#closed) return;
    this.#isOpen = true;
    // Its connection may lead nowhere, which takes a minute to show.
    this.#client[Symbol.dispose]();
    this.#client = new TritonClient(this.url);
    this.#noteState("it does not answer at all");
  }

  /** Whose fault an error is that both may have made: a text that is known to pass tells. Throws ModelError for the batch's. */
  async #blame(model: ModelVersion, error: unknown): Promise<void> {
    try {
      await this.#ask(model);
    } catch {
      this.#isOpen = true;
      return;
    }
    throw new ModelError(messageOf(error));
  }

  async #ask(model: ModelVersion): Promise<void> {
    const shortest = padded([[model.padId, model.padId]], model.padId);
    const logits = await this.#inFlight.run(keyOf(model), this.#client.closed, (signal) =>
      this.#client.infer(model, shortest, { signal, limitMs: PROBE_LIMIT_MS }),
    );
    checkLogits(logits);
  }

  /** Checks that what is served is the model, and that it answers. */
  async #admit(model: ModelVersion): Promise<void> {
    await checkServed(model, this.#client);
    await this.#ask(model);
  }

  #probeLater(): void {
    const restMs = this.#isDown() ? DOWN_PROBE_MS : UP_PROBE_MS;
    this.#cancelProbe?.();
    if (this.#closed) return;
    this.#cancelProbe = this.#clock.after(restMs, () => void this.#probe());
  }

  async #probe(): Promise<void> {
    // Its end sets the time of the next one.
    if (this.#probing) return;
    this.#probing = true;
    const wasDown = this.#isDown();
    // Answers to callers tell as much, and a probe would wait behind their batches.
    if (wasDown || !this.#inFlight.heardWithin(UP_PROBE_MS)) await this.#probeAll(wasDown);
    this.#probing = false;
    this.#probeLater();
  }

  async #probeAll(wasDown: boolean): Promise<void> {
    const models = [...this.#wanted.values()];
    const probes = await Promise.allSettled(models.map((one) => this.#probeModel(one, wasDown)));
    const faults = probes.flatMap((probe) =>
      probe.status === "rejected" ? [messageOf(probe.reason)] : [],
    );
    if (faults.length === models.length) this.#isOpen = models.length > 0;
    this.#noteState(faults[0] ?? "it answers");
  }

  async #probeModel(model: ModelVersion, wasDown: boolean): Promise<void> {
    const key = keyOf(model);
    try {
      // One that came back may be another one.
      await (wasDown ? this.#admit(model) : this.#ask(model));
    } catch (error) {
      this.#ready.delete(key);
      throw error;
    }
    // A server that answers for one model is there: what is wrong with another one concerns that one only.
    this.#isOpen = false;
    // It may have been unloaded meanwhile.
    if (this.#wanted.has(key)) this.#ready.add(key);
  }

  #isDown(): boolean {
    return this.#isOpen || this.#ready.size < this.#wanted.size;
  }

  #noteState(detail: string): void {
    const state = this.#isDown() ? "down" : "up";
    if (this.#closed || state === this.#reported) return;
    this.#reported = state;
    this.#report(state, this.url, detail);
    // The next probe of a server that is up may be far away.
    if (state === "down") this.#probeLater();
  }
}

const late = (cause: unknown): ServiceError =>
  new ServiceError("DEADLINE", "No answer before the call's deadline: allow more time.", { cause });
