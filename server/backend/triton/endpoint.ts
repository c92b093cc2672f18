import { status } from "@grpc/grpc-js";
import type { Clock } from "../../core/clock.js";
import { messageOf } from "../../core/errors.js";
import {
  type InferContext,
  keyOf,
  ModelError,
  type ModelVersion,
  type TokenBatch,
} from "../backend.js";
import { Breaker } from "../breaker.js";
import { checkLogits } from "../logits.js";
import { padded } from "../padding.js";
import { checkSameModel } from "./same-model.js";
import { TritonClient } from "./triton-client.js";

const UP_PROBE_MS = 2000;
const DOWN_PROBE_MS = 250;
const NEVER = new AbortController().signal;

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
  #closed = false;

  constructor(url: string, clock: Clock, report: ReportEndpoint) {
    this.url = url;
    this.#clock = clock;
    this.#report = report;
    this.#breaker = new Breaker(clock);
    this.#client = new TritonClient(url);
    this.#probeLater();
  }

  /** It answers for what it ought to. */
  get isUp(): boolean {
    return !this.#isDown();
  }

  /** Whether a batch of the model may be sent to it now. */
  serves(model: ModelVersion): boolean {
    return !this.#breaker.isOpen && this.#ready.has(keyOf(model));
  }

  /** Logits, shape [rows, classes]. Throws EndpointFault, ModelError, or the signal's reason. */
  async infer(
    model: ModelVersion,
    batch: TokenBatch,
    { signal, deadlineMs, traceparent }: InferContext,
  ): Promise<Float32Array> {
    const attempt = this.#breaker.begin();
    const limitMs = Math.min(deadlineMs - this.#clock.now(), this.#breaker.limitMs);
    this.inFlight++;
    try {
      const logits = await this.#client.infer(model, batch, { signal, limitMs, traceparent });
      this.#breaker.succeeded(attempt);
      return logits;
    } catch (error) {
      const code = codeOf(error);
      if (signal.aborted || code === status.DEADLINE_EXCEEDED) this.#breaker.unanswered(attempt);
      else if (code === status.UNAVAILABLE) this.#breaker.open();
      else if (code === status.NOT_FOUND) this.#ready.delete(keyOf(model));
      else await this.#blame(model, error);
      this.#noteState(messageOf(error));
      signal.throwIfAborted();
      throw new EndpointFault(`${this.url}: ${messageOf(error)}`, { cause: error });
    } finally {
      this.inFlight--;
    }
  }

  /** From now on it ought to answer for the model. Throws what is wrong where it does not. */
  async load(model: ModelVersion): Promise<void> {
    this.#wanted.set(keyOf(model), model);
    await this.#admit(model);
    this.#breaker.close();
    this.#noteState(`${model.name} answers`);
  }

  /** It need not answer for the model any more, and where it lets itself be told, unloads it. */
  async unload(model: ModelVersion): Promise<void> {
    this.#wanted.delete(keyOf(model));
    this.#ready.delete(keyOf(model));
    // All versions are unloaded together.
    if ([...this.#wanted.values()].some(({ name }) => name === model.name)) return;
    await this.#client.unload(model.name);
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#cancelProbe?.();
    this.#client[Symbol.dispose]();
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

  async #ask(model: ModelVersion): Promise<void> {
    const shortest = padded([[model.padId, model.padId]], model.padId);
    const options = { signal: NEVER, limitMs: this.#breaker.limitMs };
    checkLogits(await this.#client.infer(model, shortest, options));
  }

  /** Checks that what is served is the model, and that it answers. */
  async #admit(model: ModelVersion): Promise<void> {
    await this.#check(model).catch(async (error: unknown) => {
      if (codeOf(error) === status.UNAVAILABLE) throw error;
      // What it has loaded may be what the folder held before.
      await this.#client.load(model.name).catch(() => {
        throw error;
      });
      await this.#check(model);
    });
    await this.#ask(model);
    this.#ready.add(keyOf(model));
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
    const wasDown = this.#isDown();
    // Answers to callers tell as much, and a probe would wait behind their batches.
    if (wasDown || !this.#breaker.succeededWithin(UP_PROBE_MS)) await this.#probeAll(wasDown);
    this.#probeLater();
  }

  async #probeAll(wasDown: boolean): Promise<void> {
    let fault = "";
    for (const model of this.#wanted.values()) {
      // One that came back may be another one.
      await (wasDown ? this.#admit(model) : this.#ask(model)).catch((error: unknown) => {
        this.#ready.delete(keyOf(model));
        fault = messageOf(error);
        if (codeOf(error) !== status.NOT_FOUND) this.#breaker.open();
      });
    }
    if (fault === "") this.#breaker.close();
    this.#noteState(fault === "" ? "it answers" : fault);
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

const codeOf = (error: unknown): number | undefined =>
  error instanceof Error && "code" in error ? Number(error.code) : undefined;
