/** The peers: how each is started and asked. What they are and why they are configured so: benchmarks/peers/README.md. */
import { join, resolve } from "node:path";

/** One of a peer's two ways to be asked, by POST and JSON. */
interface Way {
  readonly path: string;
  body(texts: readonly string[]): unknown;
  /** Out of the answer, in the order of the texts. */
  labels(answer: never): readonly string[];
}

export interface Peer {
  readonly title: string;
  /** Its requirements file and virtual environment. */
  readonly environment: "fastapi" | "ray" | "bentoml" | "litserve" | "mlserver";
  /** A program of its environment, with its arguments. */
  command(port: number): readonly string[];
  /** More ports than the one that it is asked on, by the variables that name them. */
  readonly morePorts?: readonly string[];
  readonly one: Way;
  readonly many: Way;
}

export const SERVICES = resolve("benchmarks/peers/services");

interface Answer {
  readonly label: string;
}
interface Tensors {
  readonly outputs: readonly { readonly name: string; readonly data: readonly string[] }[];
}

const listOfAnswers = (answers: readonly Answer[]) => answers.map(({ label }) => label);
const TEXT: Way = {
  path: "/text",
  body: ([text]) => ({ text }),
  labels: ({ label }: Answer) => [label],
};
const LIST: Way = { path: "/texts", body: (texts) => ({ texts }), labels: listOfAnswers };
const tensors = (model: string): Way => ({
  path: `/v2/models/${model}/infer`,
  body: (data) => ({
    inputs: [{ name: "text", shape: [data.length, 1], datatype: "BYTES", data }],
  }),
  labels: ({ outputs }: Tensors) => outputs.find(({ name }) => name === "label")?.data ?? [],
});

const uvicorn = (app: string) => (port: number) =>
  `uvicorn ${app}:app --host 127.0.0.1 --port ${port} --workers 2 --no-access-log --log-level warning`.split(
    " ",
  );

export const PEERS: Readonly<Record<string, Peer>> = {
  fastapi: {
    title: "FastAPI, no batching",
    environment: "fastapi",
    command: uvicorn("fastapi_plain"),
    one: TEXT,
    many: LIST,
  },
  "fastapi-batched": {
    title: "FastAPI, micro-batching",
    environment: "fastapi",
    command: uvicorn("fastapi_batched"),
    one: TEXT,
    many: LIST,
  },
  ray: {
    title: "Ray Serve",
    environment: "ray",
    command: () => ["python", join(SERVICES, "ray_service.py")],
    one: TEXT,
    many: LIST,
  },
  bentoml: {
    title: "BentoML",
    environment: "bentoml",
    command: (port) =>
      `bentoml serve bentoml_service:Sentiment --host 127.0.0.1 --port ${port}`.split(" "),
    // A batchable API takes lists only.
    one: { ...LIST, path: "/text" },
    many: LIST,
  },
  litserve: {
    title: "LitServe",
    environment: "litserve",
    command: () => ["python", join(SERVICES, "litserve_service.py")],
    one: TEXT,
    many: LIST,
  },
  mlserver: {
    title: "MLServer",
    environment: "mlserver",
    command: () => ["mlserver", "start", join(SERVICES, "mlserver")],
    morePorts: ["MLSERVER_GRPC_PORT", "MLSERVER_METRICS_PORT"],
    one: tensors("text"),
    many: tensors("texts"),
  },
};
