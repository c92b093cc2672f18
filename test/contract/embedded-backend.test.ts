import { embeddedBackend } from "../../server/backend/embedded/embedded-backend.js";
import { systemClock } from "../../server/core/clock.js";
import { onnxFile } from "../support/onnx-file.js";
import { backendContract } from "./backend-contract.js";

backendContract("embedded", async () =>
  embeddedBackend(
    {
      files: new Map([["sentiment_fast", await onnxFile("triton-model-repo/sentiment_fast")]]),
      workers: 2,
      intraOpThreads: 1,
    },
    systemClock,
    () => {},
  ),
);
