import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { loadConfig } from "../../../server/config.js";
import {
  chartEnvironment,
  chartNames,
  gatewaySettings,
  type Named,
  namedSettings,
  ofServices,
  type Reader,
  readYaml,
  serverSettings,
} from "../../support/deploy-files.js";

/** What others than the two read: OpenTelemetry, glibc and Node in the server, Go's own in the bridge. */
const OTHERS: Record<Reader, RegExp> = {
  sentiment: /^(OTEL_\w+|MALLOC_\w+|GLIBC_TUNABLES|NODE_ENV|NODE_EXTRA_CA_CERTS)$/,
  gateway: /^(GOMEMLIMIT|GOMAXPROCS)$/,
};
const BASE = "deploy/docker/compose.yaml";

const unknownOf = (names: readonly string[], reader: Reader, known: ReadonlySet<string>) =>
  names.filter((name) => !known.has(name) && !OTHERS[reader].test(name));

describe("what the files of deploy/ set", () => {
  const named = namedSettings();
  const known: Record<Reader, ReadonlySet<string>> = {
    sentiment: serverSettings(),
    gateway: gatewaySettings(),
  };

  it("is found where it is, and so are those who know it", () => {
    const found = (reader: Reader) => named.filter((one) => one.reader === reader).length;
    assert.ok(found("sentiment") >= 6, `${found("sentiment")}`);
    assert.ok(found("gateway") >= 4, `${found("gateway")}`);
    for (const name of ["GRPC_PORT", "OMP_NUM_THREADS", "TLS_CERT"])
      assert.ok(known.sentiment.has(name), name);
    for (const name of ["GATEWAY_PORT", "CORS_ORIGINS", "SENTIMENT_METRICS_URL", "LOG_LEVEL"])
      assert.ok(known.gateway.has(name), name);
  });

  for (const { file, reader, environment } of named)
    it(`${file} names only settings that the ${reader} has`, () =>
      assert.deepEqual(unknownOf(Object.keys(environment), reader, known[reader]), []));

  for (const { file, environment } of named.filter(isOfServer))
    it(`${file} gives the server values that it takes`, () => {
      // The other files of deploy/docker stand on the first.
      const [base] = file.startsWith("deploy/docker/") ? ofServices(BASE).filter(isOfServer) : [];
      const config = loadConfig({ ...base?.environment, ...environment });
      assert.equal(config.grpcPort, 50051);
      assert.equal(config.httpPort, 9464);
    });

  const chart = globSync("deploy/helm/*/{values.yaml,templates/*.{yaml,tpl}}", {
    // What they set is for programs of others.
    exclude: ["**/{redis,triton}-*"],
  }).toSorted();
  it("of a Helm chart names only settings that one of the two has", () => {
    const either = new Set([...known.sentiment, ...known.gateway]);
    const unknown = chart.flatMap((file) => {
      const names = unknownOf(chartNames(readFileSync(file, "utf8")), "sentiment", either);
      return unknownOf(names, "gateway", either).map((name) => `${file}: ${name}`);
    });
    assert.deepEqual(unknown, []);
  });

  for (const file of globSync("deploy/helm/*/values.yaml"))
    it(`${file} gives the server values that it takes`, () => {
      const environment = chartEnvironment(readYaml(file));
      assert.ok(Object.keys(environment).length > 0);
      loadConfig(environment);
    });

  it("would be noticed", () => {
    const names = chartNames(
      '- name: NO_SUCH\n  value: a\nsettings:\n  "NEITHER_THIS": 1\n  NOR_THAT: {{ x }}\nLOWER: {}\n# name: NOT_READ\n  also: NOT_A_NAME\n- name: PART\n  value: a$(PART)\n',
    );
    assert.deepEqual(names, ["NO_SUCH", "NEITHER_THIS", "NOR_THAT", "LOWER"]);
    assert.deepEqual(
      unknownOf([...names, "OTEL_SDK_DISABLED"], "sentiment", known.sentiment),
      names,
    );
    assert.deepEqual(unknownOf(["OTEL_SDK_DISABLED"], "gateway", known.gateway), [
      "OTEL_SDK_DISABLED",
    ]);
  });
});

function isOfServer({ reader }: Named): boolean {
  return reader === "sentiment";
}
