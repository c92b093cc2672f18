import { setMaxListeners } from "node:events";
import { Client, connectivityState, credentials } from "@grpc/grpc-js";
import {
  GRPCInferenceServiceDefinition,
  type ModelMetadataResponse,
} from "../../gen/inference/grpc_service.js";
import type { ModelConfig } from "../../gen/inference/model_config.js";
import type { ModelVersion, TokenBatch } from "../backend.js";
import { inferRequest, logitsOf } from "./tensors.js";
import { type UnaryOptions, unary } from "./unary.js";

const { fullName: SERVICE, methods } = GRPCInferenceServiceDefinition;
const OPTIONS = {
  // Each address behind a name gets its share: a headless service's pods.
  "grpc.service_config": JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
  // Whether a batch is tried again, and where, is decided here.
  "grpc.enable_retries": 0,
  // Triton closes a connection after three that it has not answered anything between: by then no batch is waited for any more.
  "grpc.keepalive_time_ms": 20_000,
  "grpc.keepalive_timeout_ms": 5000,
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 500,
  // Logits are small. Ids are not, and Triton takes them of any size.
  "grpc.max_receive_message_length": 4 * 1024 * 1024,
  "grpc.max_send_message_length": -1,
  // A connection of its own: two servers of this process would share one otherwise, and its fate.
  "grpc.use_local_subchannel_pool": 1,
};
const ASK_LIMIT_MS = 2000;
/** A large model takes its time. */
const CONTROL_LIMIT_MS = 60_000;

/** The calls of one Triton server that are used here. All reject with grpc-js's ServiceError, or with the signal's reason. */
export class TritonClient implements Disposable {
  readonly #client: Client;
  /** Of what no caller waits for: ends with this. */
  readonly #closed = new AbortController();

  constructor(url: string) {
    this.#client = new Client(url, credentials.createInsecure(), OPTIONS);
    // One listener a call.
    setMaxListeners(0, this.#closed.signal);
  }

  /** Fires when this is closed: for batches of nobody. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  get isConnecting(): boolean {
    return this.#client.getChannel().getConnectivityState(false) === connectivityState.CONNECTING;
  }

  /** Logits, shape [rows, classes]. */
  async infer(
    model: ModelVersion,
    batch: TokenBatch,
    options: UnaryOptions,
  ): Promise<Float32Array> {
    const request = inferRequest(model, batch);
    const response = await unary(this.#client, SERVICE, methods.modelInfer, request, options);
    return logitsOf(response, batch.rows);
  }

  /** Whether the server runs; its models may be unable to answer all the same. Does not queue behind batches. */
  async isLive(): Promise<boolean> {
    // Who asks does not wait for so long. By its own limit an answer that has come, and that nobody has had the time to read, would be lost.
    const options = { signal: this.closed, limitMs: CONTROL_LIMIT_MS };
    return (await unary(this.#client, SERVICE, methods.serverLive, {}, options)).live;
  }

  async config(name: string): Promise<ModelConfig | undefined> {
    const options = { signal: this.closed, limitMs: ASK_LIMIT_MS };
    const request = { name, version: "" };
    return (await unary(this.#client, SERVICE, methods.modelConfig, request, options)).config;
  }

  metadata(name: string): Promise<ModelMetadataResponse> {
    const options = { signal: this.closed, limitMs: ASK_LIMIT_MS };
    return unary(this.#client, SERVICE, methods.modelMetadata, { name, version: "" }, options);
  }

  /** Reads the model's folder anew. UNAVAILABLE where Triton is not in explicit model control. */
  async load(modelName: string): Promise<void> {
    const options = { signal: this.closed, limitMs: CONTROL_LIMIT_MS };
    const request = { repositoryName: "", modelName, parameters: {} };
    await unary(this.#client, SERVICE, methods.repositoryModelLoad, request, options);
  }

  /** As `load`. */
  async unload(modelName: string): Promise<void> {
    const options = { signal: this.closed, limitMs: CONTROL_LIMIT_MS };
    const request = { repositoryName: "", modelName, parameters: {} };
    await unary(this.#client, SERVICE, methods.repositoryModelUnload, request, options);
  }

  [Symbol.dispose](): void {
    this.#closed.abort(new Error("closed"));
    this.#client.close();
  }
}
