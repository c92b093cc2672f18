import assert from "node:assert/strict";
import { ErrorInfo, RetryInfo } from "../../../server/gen/google/rpc/error_details.js";
import {
  AnalyzeStreamRequest,
  AnalyzeStreamResponse,
  SentimentServiceDefinition,
  Tier,
} from "../../../server/gen/sentiment/v1/sentiment.js";
import { bytesOf, sharingMemory } from "../../../server/rpc/shared-writer.js";

const asked = (text: string) => ({ id: "1", text, tier: Tier.TIER_FAST, options: undefined });
const ownBytes = (text: string) => AnalyzeStreamRequest.encode(asked(text)).finish();
const sharedBytes = (text: string) => bytesOf(AnalyzeStreamRequest, asked(text));

describe("bytesOf", () => {
  it("gives what a writer of the message's own gives, whatever was written before", () => {
    for (const text of ["", "a", "好评 🙂", "x".repeat(100), "y".repeat(1_000_000), "short"])
      assert.deepEqual(sharedBytes(text), ownBytes(text));
  });

  it("gives bytes that the next message does not change", () => {
    const first = sharedBytes("first");
    sharedBytes("other");
    assert.deepEqual(first, ownBytes("first"));
  });

  it("writes the next message whole after one that cannot be written", () => {
    const broken = { retryDelay: { seconds: 1, nanos: Number.NaN } };
    assert.throws(() => bytesOf(RetryInfo, broken), /invalid int32/);
    const info = { reason: "OVERLOADED", domain: "sentiment.v1", metadata: {} };
    assert.deepEqual(bytesOf(ErrorInfo, info), ErrorInfo.encode(info).finish());
  });
});

describe("a service whose answers are written into the same memory", () => {
  const { analyzeStream } = sharingMemory(SentimentServiceDefinition).methods;

  it("writes what the generated one writes", () => {
    const answer = { id: "7", error: { code: 3, message: "Do this.", details: [] } };
    assert.deepEqual(
      analyzeStream.responseType.encode(answer).finish(),
      AnalyzeStreamResponse.encode(answer).finish(),
    );
  });

  it("reads as before", () => {
    assert.deepEqual(
      analyzeStream.requestType.decode(ownBytes("text")),
      AnalyzeStreamRequest.decode(ownBytes("text")),
    );
    assert.equal(analyzeStream.name, "AnalyzeStream");
  });
});
