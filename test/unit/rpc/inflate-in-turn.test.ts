import assert from "node:assert/strict";
import {
  Client,
  credentials,
  type handleUnaryCall,
  Metadata,
  Server,
  ServerCredentials,
  type ServerInterceptingCallInterface,
  type ServerMethodDefinition,
} from "@grpc/grpc-js";
import { Status } from "nice-grpc";
import { inflateInTurn } from "../../../server/rpc/inflate-in-turn.js";
import { turn } from "../../support/recorder.js";

const MOST_AT_ONCE = 8;
const METHOD = { path: "/a/b" } as ServerMethodDefinition<unknown, unknown>;

interface Inflating {
  decompressMessage(message: Buffer, encoding: string): Promise<Buffer> | Buffer;
}

/** A call of that encoding, whose inflating the test ends. */
function heldCall(incomingEncoding: string, inTurn = inflateInTurn(), session: object = {}) {
  const open: (() => void)[] = [];
  const stream = { destroyed: false, session };
  const call = {
    stream,
    incomingEncoding,
    decompressMessage: (message: Buffer) => {
      const { promise, resolve } = Promise.withResolvers<Buffer>();
      open.push(() => resolve(message));
      return promise;
    },
  };
  const given = inTurn(METHOD, call as unknown as ServerInterceptingCallInterface);
  return {
    open,
    stream,
    inflate: (given as unknown as Inflating).decompressMessage,
    isSame: given === (call as unknown),
  };
}

describe("messages that are compressed", () => {
  it("are inflated a few at a time, whichever calls they are of, and all of them in the end", async () => {
    const inTurn = inflateInTurn();
    const calls = [heldCall("gzip", inTurn), heldCall("deflate", inTurn)];
    const messages = Array.from({ length: 30 }, (_, place) => Buffer.of(place));
    const inflated = Promise.all(
      messages.map((message, place) => calls[place % 2]?.inflate(message, "gzip")),
    );
    let most = 0;
    for (let ended = 0; ended < messages.length; ) {
      await turn();
      const open = calls.flatMap((call) => call.open.splice(0));
      most = Math.max(most, open.length);
      for (const end of open) end();
      ended += open.length;
    }
    assert.deepEqual(await inflated, messages);
    assert.equal(most, MOST_AT_ONCE);
  });

  it("are inflated in turn of the connections: few messages of one do not wait for many of another", async () => {
    const inTurn = inflateInTurn();
    const connection = {};
    const [one, other] = [0, 1].map(() => heldCall("gzip", inTurn, connection));
    const few = heldCall("gzip", inTurn);
    const many = Array.from({ length: 40 }, (_, place) =>
      (place % 2 === 0 ? one : other)?.inflate(Buffer.of(1), "gzip"),
    );
    const awaited = [few.inflate(Buffer.of(2), "gzip"), few.inflate(Buffer.of(3), "gzip")];
    const endOne = async () => {
      (one?.open.shift() ?? other?.open.shift())?.();
      await turn();
    };
    await turn();
    assert.equal(few.open.length, 0);
    await endOne();
    await endOne();
    assert.equal(few.open.length, 1);
    await endOne();
    await endOne();
    assert.equal(few.open.length, 2);
    for (const end of few.open.splice(0)) end();
    assert.equal((await Promise.all(awaited)).length, 2);
    while (one?.open.length || other?.open.length) await endOne();
    assert.equal((await Promise.all(many)).length, 40);
  });

  it("are not inflated whose clients have left until it is their turn", async () => {
    const inTurn = inflateInTurn();
    const [busy, left] = [heldCall("gzip", inTurn), heldCall("gzip", inTurn)];
    const messages = Array.from({ length: MOST_AT_ONCE }, () => busy.inflate(Buffer.of(1), "gzip"));
    const waiting = left.inflate(Buffer.of(2), "gzip");
    left.stream.destroyed = true;
    await turn();
    for (const end of busy.open) end();
    await Promise.all(messages);
    await assert.rejects(
      async () => await waiting,
      ({ code }: { readonly code: number }) => code === Status.CANCELLED,
    );
    assert.deepEqual(left.open, []);
  });

  it("wait for nobody where they are not", async () => {
    const { open, inflate, isSame } = heldCall("identity");
    for (let message = 0; message < 30; message++) void inflate(Buffer.of(0), "identity");
    assert.deepEqual([open.length, isSame], [30, true]);
  });

  it("are read by the real gRPC, whose call has what is put in turn", async () => {
    const seen: string[] = [];
    const server = new Server({
      interceptors: [
        (method, call) => {
          const before = (call as unknown as Partial<Inflating>).decompressMessage;
          const given = inflateInTurn()(method, call);
          const after = (given as unknown as Partial<Inflating>).decompressMessage;
          seen.push(`${typeof before}, ${before === after ? "as it was" : "in turn"}`);
          return given;
        },
      ],
    });
    const same = (bytes: Buffer) => bytes;
    const echo = {
      path: METHOD.path,
      requestStream: false,
      responseStream: false,
      requestSerialize: same,
      requestDeserialize: same,
      responseSerialize: same,
      responseDeserialize: same,
    } as const;
    const answer: handleUnaryCall<Buffer, Buffer> = (call, reply) => reply(null, call.request);
    server.addService({ echo }, { echo: answer });
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      ),
    );
    const client = (options: object) =>
      new Client(`127.0.0.1:${port}`, credentials.createInsecure(), options);
    const text = Buffer.from("a text that is sent in two ways");
    for (const options of [{ "grpc.default_compression_algorithm": 2 }, {}]) {
      const one = client(options);
      const answered = await new Promise<Buffer | undefined>((resolve, reject) =>
        one.makeUnaryRequest(METHOD.path, same, same, text, new Metadata(), (error, reply) =>
          error ? reject(error) : resolve(reply),
        ),
      );
      assert.deepEqual(answered, text);
      one.close();
    }
    assert.deepEqual(seen, ["function, in turn", "function, as it was"]);
    server.forceShutdown();
  });
});
