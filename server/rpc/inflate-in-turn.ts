import { type ServerInterceptingCall, type ServerInterceptor, status } from "@grpc/grpc-js";

/** Messages of all calls that are inflated at the same time. */
const AT_ONCE = 8;
const PLAIN = "identity";

/** What grpc-js's own call has, and does not tell of. */
interface Inflating {
  readonly stream?: { readonly destroyed: boolean; readonly session?: object | undefined };
  readonly incomingEncoding?: string;
  decompressMessage?(message: Buffer, encoding: string): Buffer | Promise<Buffer>;
}

/** Each connection has one after the other, however many messages one of them has. */
class Turns {
  #free = AT_ONCE;
  /** By connection; the first of them is next. */
  readonly #waiting = new Map<object, (() => void)[]>();

  async take<T>(connection: object, work: () => T | Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await this.#turnOf(connection);
    try {
      return await work();
    } finally {
      this.#next();
    }
  }

  #turnOf(connection: object): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const others = this.#waiting.get(connection);
    if (others === undefined) this.#waiting.set(connection, [resolve]);
    else others.push(resolve);
    return promise;
  }

  #next(): void {
    const [first] = this.#waiting;
    if (first === undefined) {
      this.#free++;
      return;
    }
    const [connection, waiting] = first;
    this.#waiting.delete(connection);
    const begin = waiting.shift();
    if (waiting.length > 0) this.#waiting.set(connection, waiting);
    begin?.();
  }
}

/** As grpc-js has it; nobody reads it. */
const gone = () =>
  Promise.reject({ code: status.CANCELLED, details: "The client has left meanwhile." });

/**
 * grpc-js inflates compressed messages as they come, each up to max_receive_message_length, before anybody has looked at the key: 3 MB of zeros in gzip took 2 GB
 * of memory. A few at a time take as much as those few, of all connections in turn. Must come before interceptors that wrap grpc-js's own call.
 */
export function inflateInTurn(): ServerInterceptor {
  const turns = new Turns();
  return (_method, call) => {
    const inflating = call as Inflating;
    if (inflating.decompressMessage && inflating.incomingEncoding !== PLAIN) {
      const inflate = inflating.decompressMessage.bind(call);
      inflating.decompressMessage = (message, encoding) =>
        encoding === PLAIN
          ? inflate(message, encoding)
          : turns.take(inflating.stream?.session ?? call, () =>
              inflating.stream?.destroyed ? gone() : inflate(message, encoding),
            );
    }
    // The type asks for a wrapper, where none is needed.
    return call as ServerInterceptingCall;
  };
}
