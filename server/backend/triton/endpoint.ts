import { status } from "@grpc/grpc-js";
import { orAbort } from "../../core/abort.js";
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
import { codeOf, isSilence, kindOf } from "./unary.js";

const UP_PROBE_MS = 2000;
const DOWN_PROBE_MS = 250;
/** It waits behind the batches of all who use the server. */
const PROBE_LIMIT_MS = 30_000;
const LIVE_LIMIT_MS = 1000;
const CONNECT_LIMIT_MS = 60_000;
const LATE = "No answer before the call's deadline: allow more time.";

/** An endpoint could not answer, for no fault of the batch: another one may. */
export class EndpointFault extends Error {}

/** Told when an endpoint goes down or comes back, and while it is down of each further reason; for the log. */
export type ReportEndpoint = (event: "down" | "up", url: string, detail: string) => void;

/**
 * One Triton server, behind a breaker that opens when it is gone or silent. Only probes close it, and they are inferences: Triton calls a model ready
 * whose process has died. While it is down they come every quarter of a second, and what it serves is checked anew before it gets a batch again.
 */
export class Endpoint implements Disposable {
  readonly url: string;
  /** Models that it ought to answer for, by key. */
  readonly #wanted = new Map<string, ModelVersion>();
  /** Those that it does answer for. While it is down there are none, and each is checked anew before it is one again. */
  readonly #ready = new Set<string>();
  readonly #inFlight: InFlight;
  readonly #clock: Clock;
  readonly #report: ReportEndpoint;
  #client: TritonClient;
  #connectedMs: number;
  #reported: "up" | "down" | undefined;
  /** Kinds of reasons told of since it went down: one that is there again may have another model, and only that says what to do. */
  readonly #told = new Set<string>();
  #cancelProbe: (() => void) | undefined;
  /** Models that are being probed, by key. */
  readonly #probed = new Set<string>();
  #closed = false;

  constructor(url: string, clock: Clock, report: ReportEndpoint) {
    this.url = url;
    this.#clock = clock;
    this.#report = report;
    this.#client = new TritonClient(url);
    this.#connectedMs = clock.now();
    this.#inFlight = new InFlight(clock, {
      isLive: () => this.#isLive(),
      onSilent: () => this.#fellSilent(),
      onStuck: (model) => this.#ready.delete(model),
    });
    this.#probeLater();
  }

  /** Batches and probes that are under way. */
  get inFlight(): number {
    return this.#inFlight.count;
  }

  /** Up: it answers for what it ought to. */
  get state(): ServerState {
    const isUp = !this.#isDown();
    const breaker = isUp || this.#ready.size > 0 ? "closed" : "open";
    return { url: this.url, up: isUp, breaker, underWay: this.inFlight };
  }

  /** Whether a batch of the model may be sent to it now. */
  serves(model: ModelVersion): boolean {
    return this.#ready.has(keyOf(model));
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
      if (codeOf(error) === status.DEADLINE_EXCEEDED)
        throw new ServiceError("DEADLINE", LATE, { cause: error });
      await orAbort(this.#learnFrom(error, model), signal, () => {});
      this.#noteState(messageOf(error), kindOf(error));
      throw new EndpointFault(`${this.url}: ${messageOf(error)}`, { cause: error });
    }
  }

  /** From now on it ought to answer for the model. Throws what is wrong where it does not. */
  async load(model: ModelVersion): Promise<void> {
    const key = keyOf(model);
    // Wanted also where it fails: it goes on being tried. But not before: what is being loaded is not missing.
    await this.#admit(model).finally(() => this.#wanted.set(key, model));
    this.#ready.add(key);
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

  async #learnFrom(error: unknown, model: ModelVersion): Promise<void> {
    // What that says of the server is known already.
    if (error instanceof GivenUpError) return;
    const code = codeOf(error);
    if (code === status.NOT_FOUND) this.#ready.delete(keyOf(model));
    // The server may be gone, or one of several behind its name; or the model is being loaded, or its queue is full.
    else if (code === status.UNAVAILABLE && !(await this.#isLive())) this.#ready.clear();
    // A text that is known to pass tells whose fault it was.
    else if (!(await this.#passes(model))) this.#ready.delete(keyOf(model));
    else if (code !== status.UNAVAILABLE) throw new ModelError(messageOf(error));
  }

  async #isLive(): Promise<boolean> {
    try {
      return await within(LIVE_LIMIT_MS, this.#clock, this.#client.isLive());
    } catch (error) {
      // Who says that he does not know is there as well.
      return codeOf(error) !== undefined && !isSilence(error);
    }
  }

  #fellSilent(): void {
    if (this.#closed) return;
    this.#ready.clear();
    // The connection may lead nowhere, which takes its time to show.
    this.#connectAnew();
    this.#noteState("it does not answer at all");
  }

  #connectAnew(): void {
    this.#client[Symbol.dispose]();
    this.#client = new TritonClient(this.url);
    this.#connectedMs = this.#clock.now();
  }

  #passes(model: ModelVersion): Promise<boolean> {
    return this.#ask(model).then(
      () => true,
      () => false,
    );
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
    this.#cancelProbe = this.#clock.after(restMs, () => this.#probe());
  }

  #probe(): void {
    // grpc-js gives a connection all the time to be made.
    const isLate = this.#clock.now() - this.#connectedMs >= CONNECT_LIMIT_MS;
    if (this.#isDown() && isLate && this.#client.isConnecting) this.#connectAnew();
    // Answers to callers tell as much, and a probe would wait behind their batches.
    const answers = this.#inFlight.heardWithin(UP_PROBE_MS / 2);
    for (const model of this.#wanted.values())
      if (!(answers && this.serves(model))) void this.#probeModel(model);
    // One that was missing may not be wanted any more.
    if (!this.#isDown()) this.#noteState("it answers");
    this.#probeLater();
  }

  async #probeModel(model: ModelVersion): Promise<void> {
    const key = keyOf(model);
    if (this.#probed.has(key)) return;
    this.#probed.add(key);
    try {
      if (this.serves(model)) await this.#ask(model);
      else await this.#readmit(model);
      this.#noteState("it answers");
    } catch (error) {
      this.#ready.delete(key);
      this.#noteState(messageOf(error), kindOf(error));
    } finally {
      this.#probed.delete(key);
    }
  }

  /** One that came back may be another one. */
  async #readmit(model: ModelVersion): Promise<void> {
    await this.#admit(model);
    // It may have been unloaded meanwhile.
    if (this.#wanted.has(keyOf(model))) this.#ready.add(keyOf(model));
  }

  #isDown(): boolean {
    return this.#ready.size < this.#wanted.size;
  }

  #noteState(detail: string, kind = detail): void {
    const state = this.#isDown() ? "down" : "up";
    if (this.#closed || this.#wanted.size === 0) return;
    const isNew = state !== this.#reported;
    if (!isNew && (state === "up" || this.#told.has(kind))) return;
    if (isNew) this.#told.clear();
    this.#told.add(kind);
    this.#reported = state;
    this.#report(state, this.url, detail);
    // The next probe of a server that is up may be far away.
    if (isNew && state === "down") this.#probeLater();
  }
}
