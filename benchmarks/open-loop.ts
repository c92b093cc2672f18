import { Client, credentials, Metadata, status } from "@grpc/grpc-js";
import {
  AnalyzeRequest,
  AnalyzeResponse,
  SentimentServiceDefinition,
  type Tier,
} from "../server/gen/sentiment/v1/sentiment.js";
import { atRate } from "../test/support/steady-load.js";

const { fullName, methods } = SentimentServiceDefinition;
const PATH = `/${fullName}/${methods.analyze.name}`;

/** How one call went. */
export interface Sent {
  readonly tookMs: number;
  /** gRPC's. */
  readonly code: status;
}

export interface OpenLoad {
  readonly address: string;
  readonly tier: Tier;
  /** Asked one after the other, over and over. */
  readonly texts: readonly string[];
  readonly callsPerSecond: number;
  readonly seconds: number;
  /** What each call may take; the server is told. */
  readonly limitMs: number;
}

/** Unary calls that come at a set rate, however slow answers are, over four connections. By grpc-js itself: nice-grpc tells the server no deadline. */
export async function openLoop(load: OpenLoad): Promise<readonly Sent[]> {
  const { address, texts } = load;
  const clients = Array.from(
    { length: 4 },
    () =>
      new Client(address, credentials.createInsecure(), { "grpc.use_local_subchannel_pool": 1 }),
  );
  const sent = await atRate(load, (place) =>
    oneCall(clients[place % clients.length] as Client, load, texts[place % texts.length] ?? ""),
  );
  for (const client of clients) client.close();
  return sent;
}

function oneCall(client: Client, { tier, limitMs }: OpenLoad, text: string): Promise<Sent> {
  const startedMs = performance.now();
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      PATH,
      (request: AnalyzeRequest) => Buffer.from(AnalyzeRequest.encode(request).finish()),
      (bytes: Buffer) => AnalyzeResponse.decode(bytes),
      { text, tier, options: undefined },
      new Metadata(),
      { deadline: Date.now() + limitMs },
      (error) => resolve({ tookMs: performance.now() - startedMs, code: error?.code ?? status.OK }),
    );
  });
}
