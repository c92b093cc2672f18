import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { startBridge } from "../support/bridge-process.js";
import { certificates } from "../support/certificates.js";
import { manifests, ofKind, podsOf } from "../support/chart.js";
import { keyFolder } from "../support/key-folder.js";
import { runApp } from "../support/running-app.js";

const run = promisify(execFile);

/** The command of `helm test`, here in place of the server's image, with what it is told of where things are. */
async function callPod(env: Readonly<Record<string, string>>): Promise<string> {
  const [pod] = podsOf(ofKind(await manifests("a"), "Pod"));
  const [{ command, args }] = pod?.spec.containers ?? [];
  const [program, ...rest] = [...command, ...args];
  return (await run(program, rest, { env: { PATH: process.env["PATH"], ...env } })).stdout;
}

describe("the test that the Helm chart runs", function () {
  this.timeout(60_000);

  it("calls the server, and by the REST bridge", async () => {
    await using server = await runApp();
    await using bridge = await startBridge(server.app.address);
    const REST = `http://127.0.0.1:${bridge.port}`;
    const said = await callPod({ ADDRESS: server.app.address, REST });
    assert.match(said, /is SERVING\n"I love this product!" is positive: 0\.\d+, by sentiment_bal/);
    assert.match(said, /answers with 200\n$/);
  });

  it("fails where the server does not serve, or nobody is there", async () => {
    await using server = await runApp({ BACKEND: "triton", TRITON_URL: "127.0.0.1:1" });
    await assert.rejects(callPod({ ADDRESS: server.app.address }), /the server does not serve/);
    await assert.rejects(callPod({ ADDRESS: "127.0.0.1:1" }), /UNAVAILABLE/);
  });

  it("shows its certificate and its key, or sees that it needs one", async () => {
    await using made = await certificates();
    await using keys = await keyFolder();
    const about = ["new", "--name", "test", "--rights", "analyze", "--file", keys.file];
    const { stdout } = await run("node", ["dist/server/keys-cli.js", ...about]);
    const ca = await made.make("ca");
    const served = await made.make("served", { by: ca });
    const own = await made.make("client", { by: ca });
    await using server = await runApp({
      TLS_CERT: served.cert,
      TLS_KEY: served.key,
      TLS_CLIENT_CA: ca.cert,
      API_KEYS_FILE: keys.file,
    });
    const ADDRESS = server.app.address;
    const secured = { ADDRESS, CA: ca.cert, CERT: own.cert, KEY: own.key, KEYS: "true" };
    assert.match(await callPod({ ...secured, API_KEY: stdout.trim() }), /is positive/);
    assert.match(await callPod(secured), /a call without a key is refused/);
    await assert.rejects(callPod({ ADDRESS, CA: ca.cert }), /UNAVAILABLE/);
  });
});
