import { once } from "node:events";
import { connect, type Socket } from "node:net";

const HEAD_END = "\r\n\r\n";

interface Waiting {
  resolve(answer: HttpAnswer): void;
  reject(error: Error): void;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/** HTTP/1.1 for one call at a time, as little as the peers need: Node's own client takes several times the CPU time. */
export class HttpConnection {
  readonly #socket: Socket;
  #received = "";
  #waiting: Waiting | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true).setEncoding("latin1");
    socket.on("data", (text: string) => {
      this.#received += text;
      this.#take();
    });
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("the connection was closed")));
  }

  static async open(port: number, limitMs: number): Promise<HttpConnection> {
    const socket = connect({ host: "127.0.0.1", port });
    await once(socket, "connect");
    socket.setTimeout(limitMs, () => socket.destroy(new Error(`no answer in ${limitMs} ms`)));
    return new HttpConnection(socket);
  }

  get localPort(): number {
    return this.#socket.localPort ?? 0;
  }

  get isOpen(): boolean {
    return this.#socket.writable && !this.#socket.destroyed;
  }

  post(path: string, body: string): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(
        `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}${HEAD_END}${body}`,
      );
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(): void {
    const end = this.#received.indexOf(HEAD_END);
    if (end < 0) return;
    const head = this.#received.slice(0, end).toLowerCase();
    const rest = this.#received.slice(end + HEAD_END.length);
    const body = head.includes("transfer-encoding: chunked") ? chunked(rest) : sized(head, rest);
    if (body === undefined) return;
    this.#received = "";
    const waiting = this.#waiting;
    this.#waiting = undefined;
    const status = Number(head.slice(9, 12));
    waiting?.resolve({ status, body: Buffer.from(body, "latin1").toString("utf8") });
  }

  #fail(error: Error): void {
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }
}

/** undefined: not all of it is there. */
function sized(head: string, rest: string): string | undefined {
  const length = Number(/^content-length: *(\d+)/m.exec(head)?.[1] ?? 0);
  return rest.length < length ? undefined : rest.slice(0, length);
}

function chunked(rest: string): string | undefined {
  let body = "";
  for (let place = 0; ; ) {
    const line = rest.indexOf("\r\n", place);
    if (line < 0) return undefined;
    const length = Number.parseInt(rest.slice(place, line), 16);
    place = line + 2 + length + 2;
    if (rest.length < place) return undefined;
    if (length === 0) return body;
    body += rest.slice(line + 2, place - 2);
  }
}
