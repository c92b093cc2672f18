import assert from "node:assert/strict";
import { once } from "node:events";
import { constants, createServer, type Http2Server, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { Client, credentials, status } from "@grpc/grpc-js";
import { unary } from "../../../../server/backend/triton/unary.js";

const ECHO = {
  name: "Echo",
  requestType: { encode: (text: string) => ({ finish: () => Buffer.from(text) }) },
  responseType: { decode: (bytes: Uint8Array) => Buffer.from(bytes).toString() },
};
const HEADERS = { ":status": 200, "content-type": "application/grpc" };
/** Without compression, of no bytes. */
const EMPTY_MESSAGE = Buffer.alloc(5);

const refuse = (stream: ServerHttp2Stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM);
const fail = (stream: ServerHttp2Stream) =>
  stream.respond({ ...HEADERS, "grpc-status": status.UNAVAILABLE }, { endStream: true });
function answer(stream: ServerHttp2Stream): void {
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": status.OK }));
  stream.respond(HEADERS, { waitForTrailers: true });
  stream.end(EMPTY_MESSAGE);
}

describe("a call to Triton", () => {
  let server: Http2Server;
  let client: Client;
  /** What is done with the calls that come, the last with all further ones. */
  let script: ((stream: ServerHttp2Stream) => void)[];
  let came: number;
  beforeEach(async () => {
    came = 0;
    server = createServer().on("stream", (stream) => {
      stream.on("error", () => {});
      (script[came] ?? script.at(-1))?.(stream);
      came++;
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
      "grpc.enable_retries": 0,
    });
  });
  afterEach(() => {
    client.close();
    server.close();
  });
  const call = () => {
    const options = { signal: new AbortController().signal, limitMs: 1500 };
    return unary(client, "test.Service", ECHO, "", options);
  };

  it("that is refused unseen is made anew", async () => {
    script = [refuse, refuse, answer];
    assert.equal(await call(), "");
    assert.equal(came, 3);
  });

  it("that is always refused fails in the end", async () => {
    script = [refuse];
    await assert.rejects(call(), { code: status.UNAVAILABLE });
    assert.equal(came, 5);
  });

  it("that fails otherwise is not, since it may have been seen", async () => {
    script = [fail, answer];
    await assert.rejects(call(), { code: status.UNAVAILABLE });
    assert.equal(came, 1);
  });
});
