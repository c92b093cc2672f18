import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, connect, createServer, type Http2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { keepStreamsApart, StreamTable } from "../../../server/rpc/stream-table.js";
import { seeded } from "../seeded.js";

/** What stands for a stream: the table does not look into it. */
const streamOf = (id: number) => ({ id }) as never;

function tableOf(ids: readonly number[]): StreamTable {
  const table = new StreamTable();
  for (const id of ids) table.set(id, streamOf(id));
  return table;
}

function all(table: StreamTable): unknown[] {
  const streams: unknown[] = [];
  table.forEach((stream) => {
    streams.push(stream);
  });
  return streams;
}

/** Puts streams into a table and a Map, and takes them out, by chance. */
function compare(most: number): void {
  const draw = seeded(most);
  const ids = Array.from({ length: most }, () => 1 + 2 * draw(0, 2 ** 30 - 1));
  const table = new StreamTable();
  const map = new Map<number, unknown>();
  for (let step = 0; step < 20_000; step++) {
    const id = ids[draw(0, most - 1)] as number;
    if (draw(0, 1) === 0) {
      const stream = streamOf(id);
      table.set(id, stream);
      map.set(id, stream);
    } else assert.equal(table.delete(id), map.delete(id));
    assert.equal(table.size, map.size);
    assert.equal(table.get(id), map.get(id));
  }
  for (const [id, stream] of map) assert.equal(table.get(id), stream);
  assert.deepEqual(new Set(all(table)), new Set(map.values()));
}

describe("A table of streams", () => {
  for (const most of [5, 30, 200, 3000]) {
    it(`does what a Map does, whatever comes and goes of up to ${most}`, () => compare(most));
  }

  it("has room for as many as come", () => {
    const ids = Array.from({ length: 5000 }, (_, index) => 2 * index + 1);
    const table = tableOf(ids);
    assert.equal(table.size, 5000);
    assert(ids.every((id) => table.get(id) !== undefined));
  });

  it("goes on as before when all are gone", () => {
    const ids = Array.from({ length: 5000 }, (_, index) => 2 * index + 1);
    const table = tableOf(ids);
    for (const id of ids) assert(table.delete(id));
    assert.deepEqual([table.size, all(table), table.get(1)], [0, [], undefined]);
    table.set(9, streamOf(9));
    assert.deepEqual([table.size, all(table)], [1, [{ id: 9 }]]);
  });

  it("takes the highest id there is", () => {
    const table = tableOf([2 ** 31 - 1]);
    assert.deepEqual(table.get(2 ** 31 - 1), { id: 2 ** 31 - 1 });
    assert(table.delete(2 ** 31 - 1));
    assert.equal(table.size, 0);
  });

  it("visits each stream once, also where the visit closes it", () => {
    const table = tableOf([1, 3, 5, 129]);
    const visited: number[] = [];
    table.forEach((stream) => {
      const { id } = stream as never as { id: number };
      visited.push(id);
      table.delete(id);
    });
    assert.deepEqual(visited.sort(), [1, 129, 3, 5].sort());
    assert.equal(table.size, 0);
  });
});

/** A server of Node's own, and a client that is connected to it. */
async function connected(onSession: (session: Http2Session) => void) {
  const server = createServer();
  server.on("session", onSession);
  server.on("stream", (stream) => {
    stream.respond();
    stream.end("done");
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const client = connect(`http://127.0.0.1:${port}`);
  await once(client, "connect");
  const close = () => {
    client.close();
    return new Promise((resolve) => server.close(resolve));
  };
  return { client, close };
}

async function ask(client: ClientHttp2Session): Promise<string> {
  const stream = client.request();
  stream.setEncoding("utf8");
  let text = "";
  stream.on("data", (chunk) => {
    text += chunk;
  });
  await once(stream, "close");
  return text;
}

describe("Streams that are kept apart", () => {
  it("are served", async () => {
    const apart: boolean[] = [];
    const { client, close } = await connected((session) => apart.push(keepStreamsApart(session)));
    assert.deepEqual(await Promise.all([ask(client), ask(client)]), ["done", "done"]);
    await close();
    assert.deepEqual(apart, [true], "this version of Node holds streams in another way");
  });
});
