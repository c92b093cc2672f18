import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, type Outcome, type Texts } from "../../../clients/node/index.js";
import { freePorts } from "../../support/ports.js";
import { sentences } from "../../support/sentences.js";
import { type ServerProcess, startServer } from "../../support/server-process.js";

const TEXTS = sentences(3000);
const AFTERWARDS = 500;

describe("the Node client's helpers while the server is killed and started anew", function () {
  this.timeout(60_000);

  for (const [name, signal] of [
    ["analyzeAll", "SIGKILL"],
    ["analyzeStream", "SIGKILL"],
    ["analyzeStream", "SIGTERM"],
  ] as const)
    it(`${name}: each text is answered once, in order (${signal})`, async () => {
      const [port] = await freePorts(1);
      const start = () =>
        startServer({
          GRPC_PORT: String(port),
          PREFETCH_MODELS: "false",
          DEFAULT_TIER: "fast",
          ENABLE_CACHING: "false",
        });
      let server: ServerProcess = await start();
      const client = connect(server.address);
      const failures: string[] = [];
      const options = { onRetry: ({ code }: { code: string }) => failures.push(code) };
      const ask = (texts: Texts) => client[name](texts, options);
      const outcomes: Outcome[] = [];
      let restarted: Promise<void> | undefined;
      let isBack = false;
      const sent: string[] = [];
      // A server that drains answers thousands first: there are texts until it has been gone and is back.
      function* texts() {
        for (let left = AFTERWARDS; left > 0; left -= Number(isBack)) {
          sent.push(TEXTS[sent.length % TEXTS.length] ?? "");
          yield sent.at(-1) ?? "";
        }
      }
      try {
        for await (const outcome of ask(texts())) {
          outcomes.push(outcome);
          if (outcomes.length !== 500) continue;
          restarted = (async () => {
            server.child.kill(signal);
            await server.ended;
            await sleep(300);
            server = await start();
            isBack = true;
          })();
        }
        await restarted;
      } finally {
        client.close();
        await server[Symbol.asyncDispose]();
      }
      assert.deepEqual(
        outcomes.map(({ index, text }) => [index, text]),
        sent.map((text, index) => [index, text]),
      );
      assert.ok(outcomes.every(({ sentiment }) => sentiment?.tier === "fast"));
      assert.ok(name === "analyzeAll" || failures.length > 0);
    });
});
