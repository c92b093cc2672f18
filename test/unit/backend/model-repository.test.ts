import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { appendFile, cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readRepository } from "../../../server/backend/repository/model-repository.js";
import { StartupError } from "../../../server/core/errors.js";

const FAST = "triton-model-repo/sentiment_fast";
const parameter = (key: string, value: string) =>
  `parameters { key: "${key}" value: { string_value: "${value}" } }\n`;
/** The real ones are new with each training. */
const PARAMETERS = parameter("max_length", "128") + parameter("temperature", "1.0");

describe("readRepository", () => {
  let folder: string;
  let fast: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "sentiment-repository-"));
    fast = await addModel("sentiment_fast");
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** A model with the real configuration but for the parameters, whose ONNX file is only looked at for its digest. */
  async function addModel(name: string): Promise<string> {
    const model = join(folder, name);
    await mkdir(join(model, "1"), { recursive: true });
    const config = await readFile(`${FAST}/config.pbtxt`, "utf8");
    const tensors = config.replace("sentiment_fast", name).replace(/^parameters .*\n/gm, "");
    await writeFile(join(model, "config.pbtxt"), tensors + PARAMETERS);
    await cp(`${FAST}/labels.txt`, join(model, "labels.txt"));
    await writeFile(join(model, "1", "model.onnx"), name);
    await writeFile(join(model, "tokenizer.json"), "{}");
    return model;
  }
  const digestOf = (content: string) => createHash("sha256").update(content).digest("hex");
  /** Changes the model's config.pbtxt; the text to change must be there. */
  async function changeConfig(from: string, to: string): Promise<void> {
    const path = join(fast, "config.pbtxt");
    const config = await readFile(path, "utf8");
    assert.ok(config.includes(from), `no ${from} in config.pbtxt`);
    await writeFile(path, config.replace(from, to));
  }
  const addParameter = (key: string, value: string) =>
    appendFile(join(fast, "config.pbtxt"), parameter(key, value));
  /** The message of the fault; the folder in it stands as REPOSITORY. */
  async function faultOf(repository = folder): Promise<string> {
    const error = await readRepository(repository).then(
      () => assert.fail("the repository was read"),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof StartupError, String(error));
    return error.message.replaceAll(folder, "REPOSITORY");
  }

  it("reads a model, its digest and where its files are", async () => {
    assert.deepEqual(await readRepository(folder), [
      {
        tier: "fast",
        name: "sentiment_fast",
        maxTokens: 128,
        temperature: 1,
        cascadeThreshold: undefined,
        paddingCost: 1,
        parameters: { max_length: "128", temperature: "1.0" },
        served: {
          version: 1,
          onnxPath: join(fast, "1", "model.onnx"),
          digest: digestOf("sentiment_fast"),
          bytes: "sentiment_fast".length,
        },
        candidate: undefined,
        tried: undefined,
        tokenizerPath: join(fast, "tokenizer.json"),
        tokenizerDigest: digestOf("{}"),
      },
    ]);
  });

  it("reads the models of all tiers, fast first, and nothing else", async () => {
    await addModel("sentiment_accurate");
    await addModel("sentiment_balanced");
    await mkdir(join(folder, "another_model"));
    await writeFile(join(folder, "README.md"), "models");
    const models = await readRepository(folder);
    assert.deepEqual(
      models.map(({ tier }) => tier),
      ["fast", "balanced", "accurate"],
    );
  });

  it("reads the highest of several versions by number, not by name", async () => {
    for (const version of ["2", "10", "9"]) {
      await mkdir(join(fast, version));
      await writeFile(join(fast, version, "model.onnx"), `version ${version}`);
    }
    const [model] = await readRepository(folder);
    assert.equal(model?.served.version, 10);
    assert.equal(model?.served.onnxPath, join(fast, "10", "model.onnx"));
    assert.equal(model?.served.digest, digestOf("version 10"));
  });

  it("reads a candidate beside the highest of the other versions", async () => {
    for (const version of ["2", "3"]) {
      await mkdir(join(fast, version));
      await writeFile(join(fast, version, "model.onnx"), `version ${version}`);
    }
    await addParameter("candidate_version", "3");
    await addParameter("canary_share", "0.1");
    const [model] = await readRepository(folder);
    assert.deepEqual(model?.candidate, { version: 3, canaryShare: 0.1, shadowShare: 0 });
    assert.equal(model?.served.version, 2);
    assert.equal(model?.tried?.version, 3);
    assert.equal(model?.tried?.digest, digestOf("version 3"));
  });

  it("reads files that are those of the digests in config.pbtxt", async () => {
    await addParameter("tokenizer_sha256", digestOf("{}"));
    await addParameter("model_sha256_1", digestOf("sentiment_fast"));
    const [model] = await readRepository(folder);
    assert.equal(model?.served.digest, digestOf("sentiment_fast"));
  });

  for (const [what, key, value, fault] of [
    [
      "a candidate without a folder",
      "candidate_version",
      "7",
      /candidate_version 7, but there is no such folder/,
    ],
    ["no version but the candidate", "candidate_version", "1", /no version but the candidate/],
    ["another tokenizer", "tokenizer_sha256", digestOf("other"), /tokenizer.json is not the one/],
    ["another model file", "model_sha256_1", digestOf("other"), /model.onnx is not the file/],
    ["a digest that is none", "tokenizer_sha256", "abc", /must be a sha-256/],
    ["a share over 1", "canary_share", "2", /canary_share/],
  ] as const) {
    it(`refuses ${what}`, async () => {
      await addParameter(key, value);
      assert.match(await faultOf(), fault);
    });
  }

  it("takes no folder for a version that Triton takes for none", async () => {
    for (const name of ["0", "02", "v3", "4.0", "-5"]) await mkdir(join(fast, name));
    const [model] = await readRepository(folder);
    assert.equal(model?.served.version, 1);
  });

  it("reads the temperature and the tokens of the configuration", async () => {
    await changeConfig('"128"', '"512"');
    await changeConfig('"1.0"', '"1.75"');
    const [model] = await readRepository(folder);
    assert.deepEqual([model?.maxTokens, model?.temperature], [512, 1.75]);
  });

  it("reads a model that has no part in a cascade", async () => {
    const [model] = await readRepository(folder);
    assert.equal(model?.cascadeThreshold, undefined);
  });

  for (const [given, threshold] of [
    ["0", 0],
    ["0.8125", 0.8125],
    ["1", 1],
  ] as const) {
    it(`reads a cascade_threshold of ${given}`, async () => {
      await addParameter("cascade_threshold", given);
      const [model] = await readRepository(folder);
      assert.equal(model?.cascadeThreshold, threshold);
    });
  }

  it("reads what padding costs a model: as much as what is read, unless the file says otherwise", async () => {
    const costOf = async () => (await readRepository(folder))[0]?.paddingCost;
    assert.equal(await costOf(), 1);
    await addParameter("padding_cost", "0.25");
    assert.equal(await costOf(), 0.25);
  });

  it("passes over parameters that are meant for Triton", async () => {
    await addParameter("intra_op_thread_count", "1");
    assert.equal((await readRepository(folder)).length, 1);
  });

  it("takes labels with a line end of Windows, or without the last one", async () => {
    for (const labels of ["negative\r\nneutral\r\npositive\r\n", "negative\nneutral\npositive"]) {
      await writeFile(join(fast, "labels.txt"), labels);
      assert.equal((await readRepository(folder)).length, 1);
    }
  });

  describe("names the file and the mend", () => {
    it("where the folder is missing", async () => {
      assert.match(
        await faultOf(join(folder, "nowhere")),
        /^MODEL_REPOSITORY REPOSITORY\/nowhere cannot be read \(ENOENT.*\): name a model repository$/,
      );
    });

    it("where the folder is a file", async () => {
      assert.match(
        await faultOf(join(fast, "labels.txt")),
        /^MODEL_REPOSITORY REPOSITORY\/sentiment_fast\/labels.txt cannot be read \(ENOTDIR/,
      );
    });

    it("where the folder has no tier", async () => {
      await rename(fast, join(folder, "another_model"));
      assert.equal(
        await faultOf(),
        "MODEL_REPOSITORY REPOSITORY holds none of sentiment_fast, sentiment_balanced, " +
          "sentiment_accurate: run make models, or name another folder",
      );
    });

    it("where config.pbtxt is missing", async () => {
      await rm(join(fast, "config.pbtxt"));
      assert.match(
        await faultOf(),
        /^REPOSITORY\/sentiment_fast\/config\.pbtxt cannot be read \(ENOENT.*\): add the model's config\.pbtxt$/,
      );
    });

    const notConfig =
      /^REPOSITORY\/sentiment_fast\/config\.pbtxt is not a Triton model configuration: ./;
    for (const [what, from, to] of [
      ["is broken", "input [", "input ["],
      ["has a field that Triton does not know", "max_batch_size", "largest_batch"],
      ["has a type that Triton does not know", "TYPE_INT64", "TYPE_WORDS"],
    ] as const) {
      it(`where config.pbtxt ${what}`, async () => {
        await changeConfig(from, what === "is broken" ? `${to} {` : to);
        assert.match(await faultOf(), notConfig);
      });
    }

    const wrong: readonly (readonly [
      what: string,
      from: string,
      to: string,
      ...said: readonly string[],
    ])[] = [
      ["an input of another name", '"input_ids"', '"tokens"', "input_ids", "input[0].name"],
      ["the other input's name wrong", '"attention_mask"', '"mask"', "input[1].name"],
      ["an input of another type", "TYPE_INT64", "TYPE_INT32", "TYPE_INT64", "input[0].dataType"],
      ["an output of two classes", "dims: [ 3 ]", "dims: [ 2 ]", "must be [3]", "output[0].dims"],
      ["an output of another name", '"logits"', '"scores"', "output[0].name"],
      ["another backend", '"onnxruntime"', '"python"', "onnxruntime", "backend"],
      ["no max_length", '"max_length"', '"max_len"', "parameters.max_length"],
      ["a max_length without room for a token", '"128"', '"2"', ">=3", "parameters.max_length"],
      ["a max_length that is no number", '"128"', '"many"', "NaN", "parameters.max_length"],
      ["a temperature of 0", '"1.0"', '"0"', ">0", "parameters.temperature"],
      ["a negative temperature", '"1.0"', '"-1"', ">0", "parameters.temperature"],
    ];
    for (const [what, from, to, ...said] of wrong) {
      it(`where config.pbtxt has ${what}`, async () => {
        await changeConfig(from, to);
        const fault = await faultOf();
        const file = "REPOSITORY/sentiment_fast/config.pbtxt";
        assert.ok(fault.startsWith(`${file} does not describe a sentiment model:\n`), fault);
        for (const part of said) assert.ok(fault.includes(part), fault);
      });
    }

    for (const [given, said] of [
      ["1.01", "<=1"],
      ["-0.01", ">=0"],
      ["often", "NaN"],
      ["80%", "NaN"],
      ["", "NaN"],
    ] as const) {
      it(`where config.pbtxt has a cascade_threshold of "${given}"`, async () => {
        await addParameter("cascade_threshold", given);
        const fault = await faultOf();
        const file = "REPOSITORY/sentiment_fast/config.pbtxt";
        assert.ok(fault.startsWith(`${file} does not describe a sentiment model:\n`), fault);
        for (const part of [said, "parameters.cascade_threshold"]) {
          assert.ok(fault.includes(part), fault);
        }
      });
    }

    for (const [given, said] of [
      ["1.5", "<=1"],
      ["0.05", ">=0.1"],
    ] as const) {
      it(`where padding is said to cost ${given} of what is read`, async () => {
        await addParameter("padding_cost", given);
        const fault = await faultOf();
        for (const part of [said, "parameters.padding_cost"])
          assert.ok(fault.includes(part), fault);
      });
    }

    it("where config.pbtxt names another model than its folder", async () => {
      await changeConfig("sentiment_fast", "sentiment_slow");
      assert.equal(
        await faultOf(),
        "REPOSITORY/sentiment_fast/config.pbtxt names the model sentiment_slow: Triton wants the folder's name",
      );
    });

    it("where labels.txt is missing", async () => {
      await rm(join(fast, "labels.txt"));
      assert.match(
        await faultOf(),
        /^REPOSITORY\/sentiment_fast\/labels\.txt cannot be read \(ENOENT.*\): one label a line, negative, neutral, positive$/,
      );
    });

    for (const [what, labels] of [
      ["another order", "positive\nneutral\nnegative\n"],
      ["a label too few", "negative\npositive\n"],
      ["a label too many", "negative\nneutral\npositive\nmixed\n"],
      ["capitals", "NEGATIVE\nNEUTRAL\nPOSITIVE\n"],
      ["nothing", ""],
    ] as const) {
      it(`where labels.txt has ${what}`, async () => {
        await writeFile(join(fast, "labels.txt"), labels);
        assert.equal(
          await faultOf(),
          "REPOSITORY/sentiment_fast/labels.txt must hold negative, neutral, positive, one a line, in this order",
        );
      });
    }

    it("where no version folder is there", async () => {
      await rm(join(fast, "1"), { recursive: true });
      assert.equal(
        await faultOf(),
        "REPOSITORY/sentiment_fast has no version folder: put the model at 1/model.onnx",
      );
    });

    it("where the highest version has no model.onnx", async () => {
      await mkdir(join(fast, "2"));
      assert.match(
        await faultOf(),
        /^REPOSITORY\/sentiment_fast\/2\/model\.onnx cannot be read \(ENOENT.*\): add the model, or run make models$/,
      );
    });

    it("where one tier of two is at fault", async () => {
      const balanced = await addModel("sentiment_balanced");
      await rm(join(balanced, "labels.txt"));
      assert.match(await faultOf(), /^REPOSITORY\/sentiment_balanced\/labels\.txt cannot be read/);
    });
  });
});
