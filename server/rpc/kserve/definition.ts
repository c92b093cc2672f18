import { BinaryReader } from "@bufbuild/protobuf/wire";
import {
  GRPCInferenceServiceDefinition as Generated,
  ModelInferRequest,
} from "../../gen/inference/grpc_service.js";

const [LEAST, MOST] = [BigInt(Number.MIN_SAFE_INTEGER), BigInt(Number.MAX_SAFE_INTEGER)];
const clamped = (wide: bigint | string): bigint => {
  const value = BigInt(wide);
  if (value < LEAST) return LEAST;
  return value > MOST ? MOST : value;
};

/** Of a message. MAX_BATCH_SIZE is 10,000 texts at most, and each has a tag and a length. */
const MOST_NUMBERS = 2 ** 16;

/**
 * Clamps, and gives up on a message of very many parts: 4 MB of empty inputs, two bytes each, would become 400 MB of objects and hold the event loop
 * for seconds, before anybody has looked at the caller's key.
 */
class CarefulReader extends BinaryReader {
  #left = MOST_NUMBERS;

  constructor(bytes: Uint8Array) {
    super(bytes);
    // Tags, lengths and numbers of 32 bits; the library has it as a property.
    const read = this.uint32;
    this.uint32 = () => {
      this.#count();
      return read.call(this);
    };
  }
  override int64(): bigint {
    this.#count();
    return clamped(super.int64());
  }
  override uint64(): bigint {
    this.#count();
    return clamped(super.uint64());
  }
  #count(): void {
    this.#left--;
    if (this.#left < 0) throw new RangeError("the message has too many parts");
  }
}

/**
 * The service as generated, but a ModelInfer with numbers beyond 2^53 can be read: they are clamped. The generated reader throws,
 * and gRPC would answer a shape that is too large with INTERNAL, before a handler could say what is wrong. So it does answer a message of very many parts, which no
 * client has a use for.
 */
export const KserveDefinition = {
  ...Generated,
  methods: {
    ...Generated.methods,
    modelInfer: {
      ...Generated.methods.modelInfer,
      requestType: {
        ...ModelInferRequest,
        decode: (bytes: Uint8Array) => ModelInferRequest.decode(new CarefulReader(bytes)),
      },
    },
  },
} as const;
