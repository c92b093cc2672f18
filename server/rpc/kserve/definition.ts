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

class ClampingReader extends BinaryReader {
  override int64(): bigint {
    return clamped(super.int64());
  }
  override uint64(): bigint {
    return clamped(super.uint64());
  }
}

/**
 * The service as generated, but a ModelInfer with numbers beyond 2^53 can be read: they are clamped. The generated reader throws,
 * and gRPC would answer a shape that is too large with INTERNAL, before a handler could say what is wrong.
 */
export const KserveDefinition = {
  ...Generated,
  methods: {
    ...Generated.methods,
    modelInfer: {
      ...Generated.methods.modelInfer,
      requestType: {
        ...ModelInferRequest,
        decode: (bytes: Uint8Array) => ModelInferRequest.decode(new ClampingReader(bytes)),
      },
    },
  },
} as const;
