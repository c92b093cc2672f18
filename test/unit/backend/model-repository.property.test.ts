import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cp, mkdir, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type ModelFiles,
  readRepository,
} from "../../../server/backend/repository/model-repository.js";
import { StartupError } from "../../../server/core/errors.js";
import { mutatedText } from "../../support/mutate-text.js";
import { type ScratchFolder, scratchFolder } from "../../support/scratch-folder.js";
import { seeded } from "../seeded.js";

const FAST = "triton-model-repo/sentiment_fast";
const ROUNDS = 150;

describe("a model folder that holds anything", function () {
  this.timeout(30_000);
  let scratch: ScratchFolder;
  let model: string;
  beforeEach(async () => {
    scratch = await scratchFolder();
    model = join(scratch.path, "sentiment_fast");
    await mkdir(join(model, "1"), { recursive: true });
    for (const name of ["config.pbtxt", "labels.txt"])
      await cp(join(FAST, name), join(model, name));
    // The digests of the real files are not those of these.
    const config = await readFile(join(model, "config.pbtxt"), "utf8");
    await writeFile(join(model, "config.pbtxt"), config.replace(/^parameters.*sha256.*\n/gm, ""));
    await writeFile(join(model, "1", "model.onnx"), "a model");
    await writeFile(join(model, "tokenizer.json"), "{}");
  });
  afterEach(() => scratch[Symbol.asyncDispose]());

  /** What is in it; or what a person is told, who can do something about it. Fails for any other error. */
  async function outcome(): Promise<readonly ModelFiles[] | string> {
    try {
      return await readRepository(scratch.path);
    } catch (error) {
      assert.ok(error instanceof StartupError, String(error));
      assert.ok(error.message.includes(scratch.path), error.message);
      return error.message;
    }
  }

  for (const name of ["config.pbtxt", "labels.txt"]) {
    it(`is a model or a fault that names a file, whatever is in ${name}`, async () => {
      const path = join(model, name);
      const good = await readFile(path, "utf8");
      assert.notEqual(typeof (await outcome()), "string");
      const draw = seeded(1);
      const seen = { model: 0, fault: 0 };
      for (let round = 0; round < ROUNDS; round++) {
        await writeFile(path, mutatedText(good, draw));
        seen[typeof (await outcome()) === "string" ? "fault" : "model"]++;
      }
      assert.ok(seen.fault > ROUNDS / 4 && seen.model > 0, JSON.stringify(seen));
    });
  }

  const FILES = ["config.pbtxt", "labels.txt", "tokenizer.json", "1/model.onnx"];
  const strange: readonly (readonly [
    what: string,
    make: (path: string) => Promise<unknown>,
    said: RegExp,
  ])[] = [
    ["a folder", (path) => mkdir(path), /it is no file/],
    ["a link to itself", (path) => symlink(path, path), /ELOOP/],
    ["a link to nowhere", (path) => symlink("/nowhere/at/all", path), /ENOENT/],
    ["a device without an end", (path) => symlink("/dev/zero", path), /it is no file/],
    [
      "a pipe that nobody writes to",
      async (path) => execFileSync("mkfifo", [path]),
      /it is no file/,
    ],
  ];
  for (const [what, make, said] of strange) {
    it(`is a fault where a file is ${what}`, async () => {
      for (const name of FILES) {
        const path = join(model, name);
        const before = await readFile(path);
        await rm(path);
        await make(path);
        assert.match(String(await outcome()), said, name);
        await rm(path, { recursive: true });
        await writeFile(path, before);
      }
    });
  }

  it("is a fault where a file of words is as large as a film", async () => {
    for (const name of ["config.pbtxt", "labels.txt"]) {
      const path = join(model, name);
      const before = await readFile(path);
      // It takes no room on the disk.
      await truncate(path, 2 ** 33);
      assert.match(String(await outcome()), /it is over 1 MiB/);
      await writeFile(path, before);
    }
  });
});
