import { type ServerInterceptingCall, type ServerInterceptor, status } from "@grpc/grpc-js";

/** Messages of all calls that are inflated at the same time. */
const AT_ONCE = 8;
const PLAIN = "identity";

/** What grpc-js's own call has, and does not tell of. */
interface Inflating {
  readonly stream?: { readonly destroyed: boolean };
  readonly incomingEncoding?: string;
  decompressMessage?(message: Buffer, encoding: string): Buffer | Promise<Buffer>;
}

class Turns {
  #free = AT_ONCE;
  readonly #waiting: (() => void)[] = [];

  async take<T>(work: () => T | Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((next) => this.#waiting.push(next));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}

/** As grpc-js has it; nobody reads it. */
const gone = () =>
  Promise.reject({ code: status.CANCELLED, details: "The client has left meanwhile." });

/**
 * grpc-js inflates compressed messages as they come, each up to max_receive_message_length, before anybody has looked at the key: 3 MB of zeros in gzip took 2 GB
 * of memory. A few at a time take as much as those few. Must come before interceptors that wrap grpc-js's own call.
 */
export function inflateInTurn(): ServerInterceptor {
  const turns = new Turns();
  return (_method, call) => {
    const inflating = call as Inflating;
    const inflate = inflating.decompressMessage?.bind(call);
    if (inflate !== undefined && inflating.incomingEncoding !== PLAIN) {
      inflating.decompressMessage = (message, encoding) =>
        encoding === PLAIN
          ? inflate(message, encoding)
          : turns.take(() => (inflating.stream?.destroyed ? gone() : inflate(message, encoding)));
    }
    // The type asks for a wrapper, where none is needed.
    return call as ServerInterceptingCall;
  };
}
