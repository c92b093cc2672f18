import { embeddedBackend } from "../../server/backend/embedded/embedded-backend.js";
import { systemClock } from "../../server/core/clock.js";
import { backendContract } from "./backend-contract.js";

backendContract("embedded", async () =>
  embeddedBackend(
    {
      files: new Map([["sentiment_fast", "triton-model-repo/sentiment_fast/1/model.onnx"]]),
      workers: 2,
      intraOpThreads: 1,
    },
    systemClock,
    () => {},
  ),
);
