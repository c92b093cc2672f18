import assert from "node:assert/strict";
import { ROOT_CONTEXT, SpanKind, TraceFlags, trace } from "@opentelemetry/api";
import { SamplingDecision } from "@opentelemetry/sdk-trace";
import { samplingFromEnv } from "../../../server/observe/sampling.js";

const NAMES = ["OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"] as const;

describe("sampling", () => {
  const before = NAMES.map((name) => [name, process.env[name]] as const);
  afterEach(() => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });

  function sampling(sampler: string, ratio: string) {
    process.env["OTEL_TRACES_SAMPLER"] = sampler;
    process.env["OTEL_TRACES_SAMPLER_ARG"] = ratio;
    return samplingFromEnv();
  }
  const shareOf = (isDrawn: () => boolean) => {
    let drawn = 0;
    for (let call = 0; call < 20_000; call++) if (isDrawn()) drawn++;
    return drawn / 20_000;
  };

  it("draws by the ratio, and keeps all that is drawn", () => {
    const { sampler, isDrawn } = sampling("parentbased_traceidratio", "0.25");
    const share = shareOf(isDrawn);
    // Twenty standard deviations.
    assert.ok(Math.abs(share - 0.25) < 0.06, String(share));
    // The id that the SDK's own ratio would never keep.
    const { decision } = sampler?.shouldSample(ROOT_CONTEXT, "f".repeat(32), "", 0, {}, []) ?? {};
    assert.equal(decision, SamplingDecision.RECORD_AND_SAMPLED);
  });

  it("does as the parent does, where there is one", () => {
    const { sampler } = sampling("parentbased_traceidratio", "0.25");
    for (const [traceFlags, decision] of [
      [TraceFlags.NONE, SamplingDecision.NOT_RECORD],
      [TraceFlags.SAMPLED, SamplingDecision.RECORD_AND_SAMPLED],
    ] as const) {
      const traceId = "0af7651916cd43dd8448eb211c80319c";
      const parent = { traceId, spanId: "b7ad6b7169203331", traceFlags, isRemote: true };
      const context = trace.setSpanContext(ROOT_CONTEXT, parent);
      const result = sampler?.shouldSample(context, traceId, "", SpanKind.SERVER, {}, []);
      assert.equal(result?.decision, decision);
    }
  });

  it("keeps none at 0, and all where the ratio is none", () => {
    assert.equal(shareOf(sampling("parentbased_traceidratio", "0").isDrawn), 0);
    for (const ratio of ["1", "", "2", "-1", "half"])
      assert.equal(shareOf(sampling("parentbased_traceidratio", ratio).isDrawn), 1, ratio);
  });

  it("leaves every other sampler to the SDK", () => {
    for (const name of ["traceidratio", "always_off", "parentbased_always_on", ""]) {
      const { sampler, isDrawn } = sampling(name, "0");
      assert.equal(sampler, undefined);
      assert.ok(isDrawn());
    }
  });
});
