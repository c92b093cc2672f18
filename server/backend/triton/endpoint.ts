import { status } from "@grpc/grpc-js";
import type { Clock } from "../../core/clock.js";
import { messageOf, ServiceError } from "../../core/errors.js";
import {
  type InferContext,
  keyOf,
  ModelError,
  type ModelVersion,
  type ServerState,
  type TokenBatch,
} from "../backend.js";
import { type Attempt, Breaker, type Work } from "../breaker.js";
import { checkLogits } from "../logits.js";
import { padded } from "../padding.js";
import { checkSameModel } from "./same-model.js";
import { TritonClient } from "./triton-client.js";

const UP_PROBE_MS = 2000;
const DOWN_PROBE_MS = 250;

/** An endpoint could not answer, for no fault of the batch: another one may. */
export class EndpointFault extends Error {}

/** Told when an endpoint goes down or comes back; for the log. */
export type ReportEndpoint = (event: "down" | "up", url: string, detail: string) => void;

/**
 * One Triton server. It is up while inferences succeed. Probes are inferences too: Triton calls a model ready whose process has died.
 * While it is down they come every quarter of a second, and what it serves is checked anew before it gets a batch again.
 */
export class Endpoint implements Disposable {
  readonly url: string;
  /** Batches under way. */
  inFlight = 0;
  /** Theirs, with padding, by model: each has instances of its own. */
  readonly #tokensInFlight = new Map<string, number>();
  /** Models that it ought to answer for, by key. */
  readonly #wanted = new Map<string, ModelVersion>();
  /** Those that it does answer for. */
  readonly #ready = new Set<string>();
  readonly #client: TritonClient;
  readonly #breaker: Breaker;
  readonly #clock: Clock;
  readonly #report: ReportEndpoint;
  #reported: "up" | "down" | undefined;
  #cancelProbe: (() => void) | undefined;
  #probing = false;
  #closed = false;

  constructor(url: string, clock: Clock, report: ReportEndpoint) {
    this.url = url;
    this.#clock = clock;
    this.#report = report;
    this.#breaker = new Breaker(clock);
    this.#client = new TritonClient(url);
    this.#probeLater();
  }

  /** Up: it answers for what it ought to. */
  get state(): ServerState {
    const breaker = this.#breaker.isOpen ? "open" : "closed";
    return { url: this.url, up: !this.#isDown(), breaker, underWay: this.inFlight };
  }

  /** Whether a batch of the model may be sent to it now. */
  serves(model: ModelVersion): boolean {
    return !this.#breaker.isOpen && this.#ready.has(keyOf(model));
  }

  /** Logits, shape [rows, classes]. Throws EndpointFault, ModelError, DEADLINE where the callers' is past, or the signal's reason. */
  async infer(
    model: ModelVersion,
    batch: TokenBatch,
    { signal, deadlineMs, traceparent, tracestate }: InferContext,
  ): Promise<Float32Array> {
    const tokens = batch.rows * batch.tokens;
    const attempt = this.#breaker.begin(this.#workOf(model, tokens));
    const leftMs = deadlineMs - this.#clock.now();
    const limitMs = Math.min(leftMs, this.#breaker.limitMs(attempt.work));
    this.inFlight++;
    this.#countInFlight(model, tokens);
    try {
      const options = { signal, limitMs, traceparent, tracestate };
      const logits = await this.#client.infer(model, batch, options);
      this.#breaker.succeeded(attempt);
      return logits;
    } catch (error) {
      await this.#learnFrom(error, model, attempt, signal.aborted);
      this.#noteState(messageOf(error));
      signal.throwIfAborted();
      // No fault of the endpoint's, and another one would have no time at all.
      if (codeOf(error) === status.DEADLINE_EXCEEDED && leftMs <= limitMs) throw late(error);
      throw new EndpointFault(`${this.url}: ${messageOf(error)}`, { cause: error });
    } finally {
      this.inFlight--;
      this.#countInFlight(model, -tokens);
    }
  }

  /** From now on it ought to answer for the model. Throws what is wrong where it does not. */
  async load(model: ModelVersion): Promise<void> {
    const key = keyOf(model);
    // Wanted also where it fails: it goes on being tried. But not before: what is being loaded is not missing.
    await this.#admit(model).finally(() => this.#wanted.set(key, model));
    this.#ready.add(key);
    this.#breaker.close();
    this.#noteState(`${model.name} answers`);
  }

  /** It need not answer for the model any more, and where it lets itself be told, unloads it. */
  async unload(model: ModelVersion): Promise<void> {
    this.#wanted.delete(keyOf(model));
    this.#ready.delete(keyOf(model));
    this.#breaker.forget(keyOf(model));
    // All versions are unloaded together.
    if ([...this.#wanted.values()].some(({ name }) => name === model.name)) return;
    await this.#client.unload(model.name);
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#cancelProbe?.();
    this.#client[Symbol.dispose]();
  }

  async #learnFrom(
    error: unknown,
    model: ModelVersion,
    attempt: Attempt,
    left: boolean,
  ): Promise<void> {
    const code = codeOf(error);
    if (left || code === status.DEADLINE_EXCEEDED) this.#breaker.unanswered(attempt);
    else if (code === status.UNAVAILABLE) this.#breaker.open();
    else if (code === status.NOT_FOUND) this.#ready.delete(keyOf(model));
    else await this.#blame(model, error);
  }

  /** Whose fault an error is that both may have made: a text that is known to pass tells. Throws ModelError for the batch's. */
  async #blame(model: ModelVersion, error: unknown): Promise<void> {
    try {
      await this.#ask(model);
    } catch {
      this.#breaker.open();
      return;
    }
    throw new ModelError(messageOf(error));
  }

  #workOf(model: ModelVersion, tokens: number): Work {
    const inFlight = this.#tokensInFlight.get(keyOf(model)) ?? 0;
    return { model: keyOf(model), tokens: inFlight + tokens };
  }

  #countInFlight(model: ModelVersion, tokens: number): void {
    const work = this.#workOf(model, tokens);
    this.#tokensInFlight.set(work.model, work.tokens);
  }

  async #ask(model: ModelVersion): Promise<void> {
    const shortest = padded([[model.padId, model.padId]], model.padId);
    const limitMs = this.#breaker.limitMs(this.#workOf(model, shortest.rows * shortest.tokens));
    const options = { signal: this.#client.closed, limitMs };
    checkLogits(await this.#client.infer(model, shortest, options));
  }

  /** Checks that what is served is the model, and that it answers. */
  async #admit(model: ModelVersion): Promise<void> {
    await this.#check(model).catch(async (error: unknown) => {
      if (SILENT.has(codeOf(error))) throw error;
      // What it has loaded may be what the folder held before.
      await this.#client.load(model.name).catch(() => {
        throw error;
      });
      await this.#check(model);
    });
    await this.#ask(model);
  }

  async #check(model: ModelVersion): Promise<void> {
    const { name } = model;
    const [config, metadata] = [await this.#client.config(name), await this.#client.metadata(name)];
    checkSameModel(model, config, metadata);
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
    if (wasDown || !this.#breaker.succeededWithin(UP_PROBE_MS)) await this.#probeAll(wasDown);
    this.#probing = false;
    this.#probeLater();
  }

  async #probeAll(wasDown: boolean): Promise<void> {
    const faults: string[] = [];
    const models = [...this.#wanted.values()];
    for (const model of models) {
      await this.#probeModel(model, wasDown).catch((error: unknown) => {
        faults.push(messageOf(error));
      });
    }
    // A server that answers for one model is there: what is wrong with another one concerns that one only.
    if (faults.length === 0 || faults.length < models.length) this.#breaker.close();
    else this.#breaker.open();
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
    // It may have been unloaded meanwhile.
    if (this.#wanted.has(key)) this.#ready.add(key);
  }

  #isDown(): boolean {
    return this.#breaker.isOpen || this.#ready.size < this.#wanted.size;
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

/** It would answer nothing else either. */
const SILENT = new Set<number | undefined>([status.UNAVAILABLE, status.DEADLINE_EXCEEDED]);

const late = (cause: unknown): ServiceError =>
  new ServiceError("DEADLINE", "No answer before the call's deadline: allow more time.", { cause });

const codeOf = (error: unknown): number | undefined =>
  error instanceof Error && "code" in error ? Number(error.code) : undefined;
