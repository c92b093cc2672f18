import { embeddedBackend } from "../../server/backend/embedded/embedded-backend.js";
import { systemClock } from "../../server/core/clock.js";
import { backendContract } from "./backend-contract.js";

backendContract("embedded", async () =>
  embeddedBackend({ workers: 2, intraOpThreads: 1, gpu: false }, systemClock, () => {}),
);
