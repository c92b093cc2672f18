import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { limitConnections } from "../../../server/rpc/connection-limits.js";
import { FakeClock } from "../../support/fake-clock.js";
import { until } from "../../support/held-backend.js";

describe("limitConnections", () => {
  let clock: FakeClock;
  let server: Server;
  let port: number;
  let clients: Socket[];
  let counts: { opened: number; closed: number; refused: number };
  let heard: number;
  let connections: Disposable;
  const track = (most: number) =>
    limitConnections(port, most, clock, {
      opened: () => void counts.opened++,
      closed: () => void counts.closed++,
      refused: () => void counts.refused++,
    });

  beforeEach(async () => {
    clock = new FakeClock();
    [clients, counts, heard] = [[], { opened: 0, closed: 0, refused: 0 }, 0];
    server = createServer((socket) => socket.on("data", () => heard++).on("error", () => {}));
    await once(server.listen(0, "127.0.0.1"), "listening");
    ({ port } = server.address() as AddressInfo);
    connections = track(2);
  });
  afterEach(async () => {
    connections[Symbol.dispose]();
    for (const client of clients) client.destroy();
    server.close();
    await once(server, "close");
  });

  const open = async () => {
    const client = connect(port, "127.0.0.1").on("error", () => {});
    clients.push(client);
    await once(client, "connect");
    return client;
  };
  const seen = () => counts.opened + counts.refused;
  const closing = (client: Socket) => once(client.resume(), "close");

  it("cuts those beyond the limit, and lets others in when one has gone", async () => {
    const [first] = [await open(), await open()];
    await closing(await open());
    assert.deepEqual(counts, { opened: 2, closed: 0, refused: 1 });
    first.destroy();
    await until(() => counts.closed === 1);
    await open();
    await until(() => seen() === 4);
    assert.deepEqual(counts, { opened: 3, closed: 1, refused: 1 });
  });

  it("cuts those that have said nothing for ten seconds, and no others", async () => {
    const silent = await open();
    const client = await open();
    await until(() => seen() === 2);
    client.write("hello");
    await until(() => heard === 1);
    const closed = closing(silent);
    clock.advance(10_000);
    await closed;
    await until(() => counts.closed === 1);
    assert.equal(client.closed, false);
    assert.equal(clock.pending, 0);
  });

  it("counts none of another port", async () => {
    const other = createServer();
    await once(other.listen(0, "127.0.0.1"), "listening");
    const elsewhere = connect((other.address() as AddressInfo).port, "127.0.0.1");
    await once(other, "connection");
    const all = await Promise.all([open(), open()]);
    await until(() => seen() === 2);
    for (const client of all) client.destroy();
    await until(() => counts.closed === 2);
    assert.deepEqual(counts, { opened: 2, closed: 2, refused: 0 });
    elsewhere.destroy();
    other.close();
  });
});
