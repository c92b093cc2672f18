import { BinaryReader } from "@bufbuild/protobuf/wire";

/**
 * Tags, lengths and numbers of one message: far more than 10,000 texts have. An empty field takes two bytes of a message, and a hundred times that once
 * it is read: without a bound 4 MB of nothing would hold the thread for seconds, before anybody has looked at the key.
 */
const MOST_READS = 100_000;
const [LEAST, MOST] = [BigInt(Number.MIN_SAFE_INTEGER), BigInt(Number.MAX_SAFE_INTEGER)];
const clamped = (wide: bigint | string): bigint => {
  const value = BigInt(wide);
  if (value < LEAST) return LEAST;
  return value > MOST ? MOST : value;
};

/** Clamps numbers beyond 2^53. */
class ClampingReader extends BinaryReader {
  override int64(): bigint {
    return clamped(super.int64());
  }

  override uint64(): bigint {
    return clamped(super.uint64());
  }
}

/** Reads MOST_READS tags, lengths and numbers of a message; throws at the next. */
class BoundedReader extends ClampingReader {
  #left = MOST_READS;

  constructor(bytes: Uint8Array) {
    super(bytes);
    const read = this.uint32;
    // All tags and lengths are read by it.
    this.uint32 = () => {
      this.#spend();
      return read.call(this);
    };
  }

  override int64(): bigint {
    this.#spend();
    return super.int64();
  }

  override uint64(): bigint {
    this.#spend();
    return super.uint64();
  }

  override bool(): boolean {
    this.#spend();
    return super.bool();
  }

  override float(): number {
    this.#spend();
    return super.float();
  }

  override double(): number {
    this.#spend();
    return super.double();
  }

  #spend(): void {
    this.#left--;
    if (this.#left < 0) throw new Error(`the message has over ${MOST_READS} fields`);
  }
}

/** Each read takes a byte at least: of most messages nothing needs to be counted. */
const readerOf = (bytes: Uint8Array): BinaryReader =>
  bytes.length > MOST_READS ? new BoundedReader(bytes) : new ClampingReader(bytes);

interface Method {
  readonly requestType: {
    decode(input: BinaryReader | Uint8Array, length?: number): unknown;
  };
}

/**
 * The service as generated, but no request of it costs much more to read than its texts do, and one with a number beyond 2^53 can be read: the generated
 * reader throws there, and gRPC would answer a shape that is too large with INTERNAL, before a handler could say what is wrong.
 */
export function bounded<Definition extends { readonly methods: Readonly<Record<string, Method>> }>(
  definition: Definition,
): Definition {
  const methods = Object.entries(definition.methods).map(([name, method]) => {
    const { requestType } = method;
    const decode = (bytes: Uint8Array) => requestType.decode(readerOf(bytes));
    return [name, { ...method, requestType: { ...requestType, decode } }];
  });
  return { ...definition, methods: Object.fromEntries(methods) };
}
