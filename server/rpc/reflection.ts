import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { ServerReflectionService } from "nice-grpc-server-reflection";

/** Of one request: it holds the name of a symbol, or of a file. */
const MOST_BYTES = 16 * 1024;

/** Field numbers, and how they are written. */
type Fields = ReadonlyMap<number, WireType>;
const { LengthDelimited, Varint } = WireType;
/** ServerReflectionRequest.file_containing_extension, the one field that is a message. */
const EXTENSION = 5;
const REQUEST: Fields = new Map(
  [1, 3, 4, EXTENSION, 6, 7].map((field) => [field, LengthDelimited]),
);
const EXTENSION_REQUEST: Fields = new Map([
  [1, LengthDelimited],
  [2, Varint],
]);

/** Throws where the message is cut off, or a field of it is written as another kind. */
function checkWhole(bytes: Uint8Array, fields: Fields): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if ((fields.get(field) ?? type) !== type) throw new Error(`field ${field} has another type`);
    if (fields === REQUEST && field === EXTENSION) checkWhole(reader.bytes(), EXTENSION_REQUEST);
    else reader.skip(type, field);
  }
}

const { serverReflectionInfo } = ServerReflectionService;

/** One protocol by two names: of tools made before 2023 many know the older alone. */
export const REFLECTIONS = [
  "grpc.reflection.v1.ServerReflection",
  "grpc.reflection.v1alpha.ServerReflection",
] as const;

/**
 * The service as the library has it, but a request is looked at before its reader (google-protobuf) gets it: that reads on behind the end of a message whose
 * lengths lie, two thousand million bytes that are not there, and holds the thread for minutes.
 */
export const reflectionDefinition = (name: (typeof REFLECTIONS)[number]) => ({
  serverReflectionInfo: {
    ...serverReflectionInfo,
    path: `/${name}/ServerReflectionInfo`,
    requestDeserialize(bytes: Buffer) {
      if (bytes.length > MOST_BYTES) throw new Error(`the request is over ${MOST_BYTES} bytes`);
      checkWhole(bytes, REQUEST);
      return serverReflectionInfo.requestDeserialize(bytes);
    },
  },
});
