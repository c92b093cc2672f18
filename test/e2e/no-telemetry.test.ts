import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { repositoryCopy } from "../support/repository-copy.js";
import { scratchFolder } from "../support/scratch-folder.js";
import { startServer } from "../support/server-process.js";

describe("onnxruntime's telemetry", function () {
  this.timeout(30_000);

  // It would note an identifier of the machine in that folder before it sends anything.
  it("is off: nothing is left in the home folder", async () => {
    await using home = await scratchFolder();
    await using repository = await repositoryCopy("fast");
    {
      await using _server = await startServer({
        HOME: home.path,
        MODEL_REPOSITORY: repository.folder,
        DEFAULT_TIER: "fast",
      });
    }
    assert.deepEqual(await readdir(home.path, { recursive: true }), []);
  });
});
