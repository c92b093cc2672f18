import { tritonBackend } from "../../server/backend/triton/triton-backend.js";
import { systemClock } from "../../server/core/clock.js";
import { startTriton, type TritonServer } from "../support/triton-server.js";
import { backendContract } from "./backend-contract.js";

describe("a real Triton", function () {
  this.timeout(60_000);
  let triton: TritonServer;
  before(async () => {
    triton = await startTriton({ models: ["sentiment_fast"] });
  });
  after(() => triton.kill());

  backendContract("triton", async () =>
    tritonBackend({ urls: [triton.url] }, systemClock, () => {}),
  );
});
