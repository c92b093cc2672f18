import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { HealthDefinition } from "nice-grpc-server-health";
import {
  AdminServiceDefinition,
  SentimentServiceDefinition,
} from "../../../server/gen/sentiment/v1/sentiment.js";

interface Service {
  readonly fullName: string;
  readonly methods: Readonly<
    Record<
      string,
      {
        readonly name: string;
        readonly requestStream: boolean;
        readonly responseStream: boolean;
        readonly options: { readonly idempotencyLevel?: string };
      }
    >
  >;
}

const conf = await readFile("deploy/nginx/sentiment.conf", "utf8");

describe("nginx's locations for gRPC", () => {
  const blocks = conf.matchAll(/\n {4}location ~ (\S+) {\n([\s\S]*?)\n {4}}/g);
  const locations = [...blocks]
    .map(([, pattern = "", body = ""]) => ({ path: new RegExp(pattern), body }))
    .filter(({ body }) => body.includes("grpc_pass"));
  /** nginx takes the first that fits. */
  const locationOf = (path: string) => locations.find((one) => one.path.test(path))?.body;
  const methodsOf = ({ fullName, methods }: Service) =>
    Object.values(methods).map((method) => ({ path: `/${fullName}/${method.name}`, ...method }));

  it("send again each call that is safe to repeat, and keep no stream", () => {
    for (const method of methodsOf(SentimentServiceDefinition)) {
      const isOne = !(method.requestStream || method.responseStream);
      const isSafe = method.options.idempotencyLevel === "NO_SIDE_EFFECTS";
      const location = locationOf(method.path) ?? assert.fail(method.path);
      assert.equal(location.includes("mirror"), isOne && isSafe, method.path);
      assert.equal(location.includes("@grpc_again"), isOne && isSafe, method.path);
    }
    for (const { path } of methodsOf(HealthDefinition))
      assert.equal(locationOf(path)?.includes("mirror"), false, path);
  });

  it("leave AdminService out", () => {
    for (const { path } of methodsOf(AdminServiceDefinition))
      assert.equal(locationOf(path), undefined, path);
  });
});
