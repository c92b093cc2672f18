import { type ClientHttp2Session, connect } from "node:http2";

/** Calls that a session takes that may be broken off: nghttp2 closes the connection of a client that takes back a thousand at a time. */
const MOST_CALLS = 400;
/** Else Node itself refuses to send headers of over 64 KB. */
const MUCH = { maxSendHeaderBlockLength: 1_000_000 };

interface Open {
  readonly session: ClientHttp2Session;
  calls: number;
}

/** Connections of clients that keep to HTTP/2, whatever they say by it. */
export class Sessions implements AsyncDisposable {
  readonly #address: string;
  readonly #steady: ClientHttp2Session[] = [];
  #breakable: Open | undefined;
  readonly #all = new Set<ClientHttp2Session>();
  #closing = false;
  /** Why a connection was closed whose client had done nothing that it may not. */
  readonly faults: string[] = [];

  constructor(address: string, steady: number) {
    this.#address = address;
    for (let place = 0; place < steady; place++) this.#steady.push(this.#steadyOne(place));
  }

  /** For calls that are in order: it must never be closed. */
  steady(place: number): ClientHttp2Session {
    const index = place % this.#steady.length;
    let session = this.#steady[index] as ClientHttp2Session;
    if (session.closed || session.destroyed) {
      session = this.#steadyOne(index);
      this.#steady[index] = session;
    }
    return session;
  }

  /** For calls that are taken back, or break something. */
  breakable(): ClientHttp2Session {
    const open = this.#breakable;
    const { session } = open ?? {};
    if (open && !session?.closed && !session?.destroyed && open.calls < MOST_CALLS) {
      open.calls++;
      return open.session;
    }
    // Once its last call is over.
    session?.close();
    this.#breakable = { session: this.#open(), calls: 1 };
    return this.#breakable.session;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    const closed = [...this.#all].map(async (session) => {
      const end = new Promise((resolve) => session.once("close", resolve));
      session.destroy();
      await end;
    });
    await Promise.all(closed);
  }

  #steadyOne(place: number): ClientHttp2Session {
    const session = this.#open();
    session.once("close", () => {
      if (!this.#closing) this.faults.push(`connection ${place} was closed`);
    });
    session.on("goaway", (code) => this.faults.push(`connection ${place}: GOAWAY ${code}`));
    return session;
  }

  #open(): ClientHttp2Session {
    const session = connect(`http://${this.#address}`, MUCH);
    this.#all.add(session);
    session.once("close", () => this.#all.delete(session));
    // It is told by the close.
    session.on("error", () => {});
    return session;
  }
}
