import { BinaryWriter } from "@bufbuild/protobuf/wire";

/** What a writer has grown to is kept: not for one answer of megabytes. */
const MOST_BYTES = 64 * 1024;

interface MessageType<Message> {
  encode(message: Message, writer?: BinaryWriter): BinaryWriter;
}

let writer = new BinaryWriter();

/**
 * The message as bytes. All are written into the same memory. A writer of each one's own takes up to four pieces of malloc's for the status of a refusal: V8 gives them
 * back on a thread of its own after a minor collection, and who has need of malloc meanwhile waits for that one, which may be off its core (docs/decisions.md 84).
 * Throws what `encode` throws.
 */
export function bytesOf<Message>(type: MessageType<Message>, message: Message): Uint8Array {
  try {
    const bytes = type.encode(message, writer).finish();
    if (bytes.length > MOST_BYTES) writer = new BinaryWriter();
    return bytes;
  } catch (error) {
    // It has the beginning of that message.
    writer = new BinaryWriter();
    throw error;
  }
}

interface Methods {
  readonly methods: Readonly<Record<string, { readonly responseType: MessageType<never> }>>;
}

/** The service as generated, but its answers are written so. */
export function sharingMemory<Definition extends Methods>(definition: Definition): Definition {
  const methods = Object.entries(definition.methods).map(([name, method]) => {
    const { responseType } = method;
    // All that nice-grpc asks of a writer.
    const encode = (message: never) => ({ finish: () => bytesOf(responseType, message) });
    return [name, { ...method, responseType: { ...responseType, encode } }];
  });
  return { ...definition, methods: Object.fromEntries(methods) };
}
