/**
 * What the server's own work is measured against: nice-grpc alone, or grpc-js alone, which answers each Analyze with the same reply. Prints the address as
 * the server does.
 *
 *   node dist/benchmarks/echo-server.js nice-grpc|grpc-js
 */

import { promisify } from "node:util";
import { Server, ServerCredentials, type ServiceDefinition } from "@grpc/grpc-js";
import { createServer } from "nice-grpc";
import {
  AnalyzeRequest,
  AnalyzeResponse,
  SentimentServiceDefinition,
  type SentimentServiceImplementation,
} from "../server/gen/sentiment/v1/sentiment.js";
import { REPLY } from "./reply.js";

const ADDRESS = "127.0.0.1:0";

async function serveByNiceGrpc(): Promise<number> {
  const unused = async (): Promise<never> => {
    throw new Error("only Analyze is echoed");
  };
  const service: SentimentServiceImplementation = {
    analyze: async () => REPLY,
    analyzeBatch: unused,
    // biome-ignore lint/correctness/useYield: it never answers.
    async *analyzeStream() {
      await unused();
    },
    listModels: unused,
  };
  const server = createServer();
  server.add(SentimentServiceDefinition, service);
  process.once("SIGTERM", () => void server.shutdown());
  return await server.listen(ADDRESS);
}

async function serveByGrpcJs(): Promise<number> {
  const { fullName, methods } = SentimentServiceDefinition;
  const definition: ServiceDefinition = {
    analyze: {
      path: `/${fullName}/${methods.analyze.name}`,
      requestStream: false,
      responseStream: false,
      requestSerialize: (request) => Buffer.from(AnalyzeRequest.encode(request).finish()),
      requestDeserialize: (bytes) => AnalyzeRequest.decode(bytes),
      responseSerialize: (reply) => Buffer.from(AnalyzeResponse.encode(reply).finish()),
      responseDeserialize: (bytes) => AnalyzeResponse.decode(bytes),
    },
  };
  const server = new Server();
  server.addService(definition, {
    analyze: (_call: unknown, reply: (error: null, value: AnalyzeResponse) => void) =>
      reply(null, REPLY),
  });
  process.once("SIGTERM", () => server.tryShutdown(() => {}));
  return await promisify(server.bindAsync.bind(server))(
    ADDRESS,
    ServerCredentials.createInsecure(),
  );
}

const port = await (process.argv[2] === "grpc-js" ? serveByGrpcJs() : serveByNiceGrpc());
process.stdout.write(`${JSON.stringify({ address: `127.0.0.1:${port}` })}\n`);
