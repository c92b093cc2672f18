import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Http2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { keepBeyondItsStreams } from "../../../server/rpc/kept-sessions.js";
import { collectGarbage } from "../../support/collect-garbage.js";

/** What Node itself holds of the session of a connection that came and went. */
async function nativeOfClosed(onSession: (session: Http2Session) => void) {
  const server = createServer();
  const closed = new Promise<WeakRef<object>>((resolve) => {
    server.once("session", (session) => {
      onSession(session);
      const native = new WeakRef(nativeOf(session));
      session.once("close", () => resolve(native));
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const client = connect(`http://127.0.0.1:${port}`);
  await once(client, "connect");
  client.close();
  const native = await closed;
  await new Promise((resolve) => server.close(resolve));
  return native;
}

function nativeOf(session: Http2Session): object {
  const symbols = Object.getOwnPropertySymbols(session);
  const values = symbols.map((symbol) => (session as never)[symbol] as object | undefined);
  const native = values.find((value) => value?.constructor?.name === "Http2Session");
  assert(native, "this version of Node holds sessions in another way");
  return native;
}

/** A major one, and the turns in which Node tells of it. */
async function collect() {
  collectGarbage();
  for (let turns = 0; turns < 10; turns++) await turn();
}

describe("Sessions that are kept beyond their streams", () => {
  it("go with the second major collection after they closed", async () => {
    const native = await nativeOfClosed(keepBeyondItsStreams);
    await turn();
    collectGarbage();
    assert(native.deref() !== undefined, "collected with its streams");
    for (let collections = 0; collections < 4; collections++) await collect();
    assert.equal(native.deref(), undefined);
  });

  it("would go with the first, were they not kept", async () => {
    const native = await nativeOfClosed(() => undefined);
    await turn();
    collectGarbage();
    assert.equal(native.deref(), undefined);
  });
});
