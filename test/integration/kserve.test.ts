import assert from "node:assert/strict";
import { Client, credentials, type ServiceError } from "@grpc/grpc-js";
import { createClient } from "nice-grpc";
import { Status as Code } from "nice-grpc-common";
import { LABELS } from "../../server/core/tiers.js";
import { Status } from "../../server/gen/google/rpc/status.js";
import {
  type GRPCInferenceServiceClient,
  GRPCInferenceServiceDefinition,
  ModelInferRequest,
} from "../../server/gen/inference/grpc_service.js";
import { type Label, Tier } from "../../server/gen/sentiment/v1/sentiment.js";
import {
  answersOf,
  contentsOf,
  inferRequest,
  input,
  stringsOf,
} from "../support/infer-messages.js";
import { type RunningApp, runApp } from "../support/running-app.js";
import { sentences } from "../support/sentences.js";
import { detailsOf, failureOf } from "../support/status-details.js";

const SERVICE = GRPCInferenceServiceDefinition.fullName;
/** Scores and probabilities are FP32 here. */
const NEAR = 1e-6;

const wordOf = (label: Label | undefined) => LABELS[(label ?? 0) - 1];

describe("the KServe protocol", function () {
  this.timeout(30_000);
  let running: RunningApp;
  let kserve: GRPCInferenceServiceClient;
  before(async () => {
    running = await runApp({ MAX_INPUT_LENGTH: "1000", MAX_BATCH_SIZE: "40" });
    kserve = createClient(GRPCInferenceServiceDefinition, running.channel);
  });
  after(() => running[Symbol.asyncDispose]());

  for (const [modelName, tier] of [
    ["sentiment_fast", Tier.TIER_FAST],
    ["sentiment_balanced", Tier.TIER_BALANCED],
    ["sentiment_accurate", Tier.TIER_ACCURATE],
    ["sentiment_auto", Tier.TIER_AUTO],
  ] as const) {
    it(`${modelName} answers as AnalyzeBatch does`, async () => {
      const texts = sentences(20);
      const { results } = await running.client.analyzeBatch({ texts, tier, options: undefined });
      const reply = await kserve.modelInfer(inferRequest(texts, { modelName, id: "seven" }));
      assert.equal(reply.modelName, modelName);
      assert.equal(reply.modelVersion, "1");
      assert.equal(reply.id, "seven");
      const answers = answersOf(reply);
      assert.equal(answers.length, texts.length);
      for (const [index, { label, score, probabilities }] of answers.entries()) {
        const sentiment = results[index]?.sentiment;
        const { negative, neutral, positive } = sentiment?.probabilities ?? {};
        assert.equal(label, wordOf(sentiment?.label), texts[index]);
        for (const [ours, theirs] of [
          [score, sentiment?.score],
          [probabilities[0], negative],
          [probabilities[1], neutral],
          [probabilities[2], positive],
        ])
          assert.ok(Math.abs((ours ?? Number.NaN) - (theirs ?? Number.NaN)) < NEAR, texts[index]);
      }
    });
  }

  it("answers in the shape that it was asked in, typed contents too", async () => {
    const bytesContents = [Buffer.from("I love it"), Buffer.from("I hate it")];
    const request = inferRequest([], {
      inputs: [input({ shape: [2, 1], contents: contentsOf({ bytesContents }) })],
      rawInputContents: [],
      outputs: ["PROBABILITIES", "LABEL"].map((name) => ({ name, parameters: {} })),
    });
    const { outputs, rawOutputContents } = await kserve.modelInfer(request);
    assert.deepEqual(
      outputs.map(({ name, datatype, shape }) => [name, datatype, shape]),
      [
        ["PROBABILITIES", "FP32", [2, 3]],
        ["LABEL", "BYTES", [2, 1]],
      ],
    );
    assert.deepEqual(stringsOf(rawOutputContents[1]), ["positive", "negative"]);
  });

  it("is one batch of the same path: a full one is answered", async () => {
    const answers = answersOf(await kserve.modelInfer(inferRequest(sentences(40))));
    assert.equal(answers.length, 40);
  });

  const refusals: readonly (readonly [
    what: string,
    request: ModelInferRequest,
    code: Code,
    reason: string,
    field: string,
  ])[] = [
    [
      "an unknown model",
      inferRequest(["a"], { modelName: "resnet" }),
      Code.NOT_FOUND,
      "MODEL_UNKNOWN",
      "model_name",
    ],
    [
      "an unknown version",
      inferRequest(["a"], { modelVersion: "9" }),
      Code.NOT_FOUND,
      "MODEL_UNKNOWN",
      "model_version",
    ],
    [
      "an empty text",
      inferRequest(["fine", "fine", "fine", " "]),
      Code.INVALID_ARGUMENT,
      "TEXT_EMPTY",
      "TEXT[3]",
    ],
    [
      "a text that is too long",
      inferRequest(["fine", "x".repeat(1001)]),
      Code.INVALID_ARGUMENT,
      "TEXT_TOO_LONG",
      "TEXT[1]",
    ],
    [
      "a text that is not UTF-8",
      inferRequest(["fine", "fine", Uint8Array.of(0xc3, 0x28)]),
      Code.INVALID_ARGUMENT,
      "TEXT_NOT_UTF8",
      "TEXT[2]",
    ],
    [
      "a text over the model's tokens when told to",
      inferRequest(["fine", "word ".repeat(190)], {
        parameters: { long_text: { stringParam: "reject" } },
      }),
      Code.INVALID_ARGUMENT,
      "TEXT_TOO_LONG",
      "TEXT[1]",
    ],
    [
      "a batch that is too large",
      inferRequest(sentences(41)),
      Code.INVALID_ARGUMENT,
      "BATCH_TOO_LARGE",
      "TEXT",
    ],
    ["a batch of nothing", inferRequest([]), Code.INVALID_ARGUMENT, "BATCH_EMPTY", "TEXT"],
    [
      "a negative shape",
      inferRequest(["a"], { inputs: [input({ shape: [-1] })] }),
      Code.INVALID_ARGUMENT,
      "TENSOR_INVALID",
      "inputs[0].shape",
    ],
    [
      "contents that are cut off",
      inferRequest(["a"], { rawInputContents: [Uint8Array.of(9, 0, 0, 0, 65)] }),
      Code.INVALID_ARGUMENT,
      "TENSOR_INVALID",
      "raw_input_contents[0]",
    ],
    [
      "an unknown output",
      inferRequest(["a"], { outputs: [{ name: "logits", parameters: {} }] }),
      Code.INVALID_ARGUMENT,
      "TENSOR_INVALID",
      "outputs[0].name",
    ],
    [
      "a parameter with a wrong value",
      inferRequest(["a"], { parameters: { long_text: { stringParam: "chop" } } }),
      Code.INVALID_ARGUMENT,
      "OPTION_UNKNOWN",
      "parameters[long_text]",
    ],
    [
      "an id that is too long",
      inferRequest(["a"], { id: "x".repeat(129) }),
      Code.INVALID_ARGUMENT,
      "ID_TOO_LONG",
      "id",
    ],
  ];
  for (const [what, request, code, reason, field] of refusals) {
    it(`refuses ${what}: ${reason}`, async () => {
      const failure = await failureOf((call) => kserve.modelInfer(request, call));
      const { domain, fields } = failure;
      assert.deepEqual(
        { code: failure.code, reason: failure.reason, domain, fields },
        { code, reason, domain: "sentiment.v1", fields: [field] },
      );
      if (field.startsWith("TEXT[")) assert.ok(failure.message.startsWith(field), failure.message);
    });
  }

  it("refuses a shape beyond what a double can count, and says so", async () => {
    const raw = new Client(running.app.address, credentials.createInsecure());
    // inputs { name: "TEXT" datatype: "BYTES" shape: 2^63 - 1 }, after a model_name.
    const shape = Buffer.from([0x1a, 9, ...new Array(8).fill(0xff), 0x7f]);
    const tensor = Buffer.concat([Buffer.from("\x0a\x04TEXT\x12\x05BYTES", "latin1"), shape]);
    const message = Buffer.concat([
      ModelInferRequest.encode(inferRequest([], { inputs: [], rawInputContents: [] })).finish(),
      Buffer.from([0x2a, tensor.length]),
      tensor,
    ]);
    const same = (bytes: Buffer) => bytes;
    const error = await new Promise<ServiceError>((done, answered) =>
      raw.makeUnaryRequest(`/${SERVICE}/ModelInfer`, same, same, message, (failure) =>
        failure ? done(failure) : answered(new Error("answered")),
      ),
    );
    const [details] = error.metadata.get("grpc-status-details-bin");
    const { code, reason } = detailsOf(Status.decode(details as Buffer));
    assert.deepEqual({ code, reason }, { code: Code.INVALID_ARGUMENT, reason: "BATCH_TOO_LARGE" });
    raw.close();
  });
});
