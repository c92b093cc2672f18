import { AsyncLocalStorage } from "node:async_hooks";
import { readFileSync } from "node:fs";
import { Channel, ChannelCredentials, type ChannelOptions } from "@grpc/grpc-js";
import { SentimentServiceDefinition } from "../../server/gen/sentiment/v1/sentiment.js";
import type { ConnectOptions, TlsOptions } from "./options.js";

const DEFAULT_PORT = 50051;
/** As README.md has users retry. */
export const RETRY_POLICY = {
  maxAttempts: 5,
  initialBackoff: "0.1s",
  maxBackoff: "2s",
  backoffMultiplier: 3,
  retryableStatusCodes: ["UNAVAILABLE"],
};
const SERVICE_CONFIG = {
  // Each address of a name gets its share.
  loadBalancingConfig: [{ round_robin: {} }],
  methodConfig: [
    {
      // Not AnalyzeStream: whoever reads a stream opens it anew, and knows what is unanswered.
      name: ["Analyze", "AnalyzeBatch", "ListModels"].map((method) => ({
        service: SentimentServiceDefinition.fullName,
        method,
      })),
      retryPolicy: RETRY_POLICY,
    },
  ],
};

/** When the call that is being made has to be over, in milliseconds of Date.now(). */
const deadline = new AsyncLocalStorage<number>();

/** The call of gRPC that `call` makes ends then. nice-grpc does not hand a deadline on, and the server wants to know it. */
export const withDeadline = <Answer>(limitMs: number, call: () => Answer): Answer =>
  deadline.run(Date.now() + limitMs, call);

class DeadlineChannel extends Channel {
  override createCall(...[method, _none, ...rest]: Parameters<Channel["createCall"]>) {
    return super.createCall(method, deadline.getStore() ?? Number.POSITIVE_INFINITY, ...rest);
  }
}

/** Throws where a file of TLS cannot be read or used. */
export function openChannel(address: string, options: ConnectOptions): Channel {
  const [, scheme, host = ""] = /^(?:(https?):\/\/)?(.*)$/s.exec(address) ?? [];
  const target = /^[^:/]+$/.test(host) ? `${host}:${DEFAULT_PORT}` : host;
  const tls = scheme === "http" ? false : options.tls || scheme === "https";
  return new DeadlineChannel(target, credentialsOf(tls), channelOptions(options));
}

function credentialsOf(tls: boolean | TlsOptions): ChannelCredentials {
  if (tls === false) return ChannelCredentials.createInsecure();
  const { caFile, certFile, keyFile } = tls === true ? {} : tls;
  if ((certFile === undefined) !== (keyFile === undefined))
    throw new TypeError("tls.certFile and tls.keyFile go together: give both or none");
  return ChannelCredentials.createSsl(
    contentsOf(caFile),
    contentsOf(keyFile),
    contentsOf(certFile),
  );
}

const contentsOf = (file: string | undefined) => (file === undefined ? null : readFileSync(file));

function channelOptions(options: ConnectOptions): ChannelOptions {
  const { keepaliveMs = 30_000, keepaliveTimeoutMs = 10_000 } = options;
  const { maxMessageBytes = 64 * 1024 * 1024 } = options;
  return {
    "grpc.service_config": JSON.stringify(SERVICE_CONFIG),
    "grpc.max_receive_message_length": maxMessageBytes,
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 5000,
    // Channelz keeps records of every connection and call.
    "grpc.enable_channelz": 0,
    // A connection of its own: two clients of this process would share one otherwise, and with it one process of the server.
    "grpc.use_local_subchannel_pool": 1,
    ...(keepaliveMs > 0 && {
      "grpc.keepalive_time_ms": keepaliveMs,
      "grpc.keepalive_timeout_ms": keepaliveTimeoutMs,
    }),
  };
}
