import { type CallContext, createServer, type Server, ServerError, Status } from "nice-grpc";
import {
  GRPCInferenceServiceDefinition,
  type GRPCInferenceServiceImplementation,
  type ModelInferRequest,
  type ModelInferResponse,
} from "../../server/gen/inference/grpc_service.js";
import { ModelConfig } from "../../server/gen/inference/model_config.js";
import { LEFT_MS, passDeadlineOn } from "./pass-deadline-on.js";

/** One batch that arrived. */
interface Arrival {
  readonly request: ModelInferRequest;
  readonly rows: number;
  /** From when it arrived; Infinity: none was sent. */
  readonly leftMs: number;
  readonly traceparent: string | undefined;
  readonly tracestate: string | undefined;
  readonly signal: AbortSignal;
}

/** A server that says what Triton says, and what the test wants it to: for faults that the real one cannot be made to show. */
export interface ScriptedTriton extends AsyncDisposable {
  readonly url: string;
  /** Batches, probes among them. */
  readonly arrivals: readonly Arrival[];
  /** What else it was asked: "load sentiment_fast". */
  readonly asked: readonly string[];
  /** config.pbtxt's, by model. */
  parameters: Record<string, Readonly<Record<string, string>>>;
  versions: string[];
  onInfer: (arrival: Arrival) => Promise<ModelInferResponse>;
  /** Before it answers anything else. */
  onAsked: () => Promise<void>;
  /** Ends at once, connections and all. */
  kill(): Promise<void>;
  /** Listens on its port again. */
  restart(): Promise<void>;
}

/** The first id of each row, three times: so that it can be seen whose answer it is. */
export function echo({ request, rows }: Arrival): ModelInferResponse {
  const [bytes = new Uint8Array()] = request.rawInputContents;
  const ids = new BigInt64Array(new Uint8Array(bytes).buffer);
  const tokens = ids.length / rows;
  const logits = Float32Array.from({ length: rows * 3 }, (_, place) =>
    Number(ids[Math.floor(place / 3) * tokens]),
  );
  return logitsMessage([rows, 3], new Uint8Array(logits.buffer));
}

export const logitsMessage = (
  shape: number[],
  bytes: Uint8Array,
  name = "logits",
  datatype = "FP32",
): ModelInferResponse => ({
  modelName: "",
  modelVersion: "",
  id: "",
  parameters: {},
  outputs: [{ name, datatype, shape, parameters: {}, contents: undefined }],
  rawOutputContents: [bytes],
});

/** What config.pbtxt says under `parameters`, as a message. */
export function configMessage(parameters: Readonly<Record<string, string>>): ModelConfig {
  const entries = Object.entries(parameters).map(([key, stringValue]) => [key, { stringValue }]);
  return { ...ModelConfig.decode(new Uint8Array()), parameters: Object.fromEntries(entries) };
}

export const refuse = (code: Status, details = "as scripted") =>
  Promise.reject(new ServerError(code, details));

export async function scriptedTriton(): Promise<ScriptedTriton> {
  const arrivals: Arrival[] = [];
  const asked: string[] = [];
  let server: Server;
  const note = async (what: string) => {
    asked.push(what);
    await triton.onAsked();
    return {};
  };
  const methods: Partial<GRPCInferenceServiceImplementation> = {
    modelInfer: (request, { metadata, signal }: CallContext) => {
      const arrival = {
        request,
        rows: Number(request.inputs[0]?.shape[0]),
        leftMs: Number(metadata.get(LEFT_MS)),
        traceparent: metadata.get("traceparent"),
        tracestate: metadata.get("tracestate"),
        signal,
      };
      arrivals.push(arrival);
      return triton.onInfer(arrival);
    },
    async serverLive() {
      await note("live");
      return { live: true };
    },
    async modelConfig({ name }) {
      await note(`config ${name}`);
      const parameters = triton.parameters[name];
      if (parameters === undefined) return refuse(Status.NOT_FOUND, `unknown model ${name}`);
      return { config: configMessage(parameters) };
    },
    async modelMetadata({ name }) {
      await note(`metadata ${name}`);
      return { name, versions: triton.versions, platform: "", inputs: [], outputs: [] };
    },
    repositoryModelLoad: ({ modelName }) => note(`load ${modelName}`),
    repositoryModelUnload: ({ modelName }) => note(`unload ${modelName}`),
  };
  const unimplemented = () => refuse(Status.UNIMPLEMENTED);
  const all = Object.keys(GRPCInferenceServiceDefinition.methods).map((name) => [
    name,
    methods[name as keyof typeof methods] ?? unimplemented,
  ]);
  const listen = (port: number): Promise<number> => {
    server = createServer({ interceptors: [passDeadlineOn] });
    server.add(
      GRPCInferenceServiceDefinition,
      Object.fromEntries(all) as GRPCInferenceServiceImplementation,
    );
    return server.listen(`127.0.0.1:${port}`);
  };
  const kill = async () => server.forceShutdown();
  const port = await listen(0);
  const triton: ScriptedTriton = {
    url: `127.0.0.1:${port}`,
    arrivals,
    asked,
    parameters: {},
    versions: ["1"],
    onInfer: async (arrival) => echo(arrival),
    onAsked: async () => {},
    kill,
    async restart() {
      await listen(port);
    },
    [Symbol.asyncDispose]: kill,
  };
  return triton;
}
