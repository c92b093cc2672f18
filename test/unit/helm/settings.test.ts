import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { HealthDefinition } from "nice-grpc-server-health";
import { chartSchema, type Schema } from "../../../deploy/helm/values/chart-values.js";
import { GRPCInferenceServiceDefinition } from "../../../server/gen/inference/grpc_service.js";
import { SentimentServiceDefinition } from "../../../server/gen/sentiment/v1/sentiment.js";
import { REFLECTIONS } from "../../../server/rpc/reflection.js";
import { Settings } from "../../../server/settings.js";

const { properties = {} } = chartSchema();
const settings = properties["settings"]?.properties ?? {};
const gateway = properties["gateway"]?.properties ?? {};

/** Values that the chart's schema lets pass, and such that it does not, of a setting. */
function samples({ type, enum: options, minimum, maximum, pattern }: Schema) {
  if (options !== undefined) return { good: options, bad: [`not-${options[0]}`] };
  if (type === "boolean") return { good: [true, false], bad: ["yes"] };
  if (pattern !== undefined) return { good: PATTERNED, bad: ["4 gigs", "fast"] };
  if (type === "string") return { good: ["redis:6379"], bad: [] };
  const [least, most] = [Number(minimum), Number(maximum)];
  return { good: [least, most], bad: type === "integer" ? [most + 1, 1.5] : [least - 1, most + 1] };
}

const PATTERNED = ["512m", "2GB", "4Gi", "1.5 g", "fast=1,balanced=2,accurate=10.5"];

/** What the server makes of the text that the chart puts into its environment. */
const takes = (name: string, value: unknown) =>
  Settings.shape[name as keyof typeof Settings.shape].safeParse(String(value)).success;

describe("settings in the Helm chart", () => {
  it("are those of the server, and of each the same values are good", () => {
    assert.deepEqual(Object.keys(settings), Object.keys(Settings.shape));
    for (const [name, schema] of Object.entries(settings)) {
      const { good, bad } = samples(schema);
      const fits = (value: unknown) => new RegExp(String(schema["pattern"] ?? "")).test(`${value}`);
      for (const value of good) assert.equal(takes(name, value), fits(value), `${name}: ${value}`);
      for (const value of bad) assert.ok(!takes(name, value), `${name}: ${value}`);
    }
  });

  it("of the bridge are those of its own, with the same bounds", () => {
    const source = readFileSync("clients/gateway/config.go", "utf8");
    const calls = [...source.matchAll(/env\.(\w+)\("([A-Z_]+)"(?:, ([^)]*))?\)/g)];
    const read = calls.filter(([, kind]) => kind !== "fault" && kind !== "pair");
    const names = read.map(([, , name = ""]) => name);
    const chart = gateway["settings"]?.properties ?? {};
    assert.deepEqual(Object.keys(chart).sort(), names.toSorted());
    const bounded = read.filter(([, kind]) => kind === "whole" || kind === "seconds");
    assert.ok(bounded.length > 5);
    for (const [, , name = "", args = ""] of bounded) {
      const [, least, most] = args.split(",").map((part) => Number(part.replaceAll("_", "")));
      const { minimum, maximum } = chart[name] ?? {};
      // A port that is not known beforehand is none that a Service could send to.
      assert.deepEqual([minimum, maximum], [name === "GATEWAY_PORT" ? 1 : least, most], name);
    }
  });

  it("let in from outside: services that there are, and never those of the admin", () => {
    const exposed = properties["front"]?.properties?.["exposedServices"]?.default as string[];
    const served = [SentimentServiceDefinition, GRPCInferenceServiceDefinition, HealthDefinition];
    const names = served.map(({ fullName }) => fullName);
    assert.deepEqual(exposed, [...names, ...REFLECTIONS]);
  });
});
