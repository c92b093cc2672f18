import { configureTextEncoding } from "@bufbuild/protobuf/wire";

const encoder = new TextEncoder();
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });

/** A string that no UTF-8 can be read as: a lone surrogate. It marks a field whose bytes were not UTF-8. */
const NOT_UTF8 = "\ud800";

/** The bytes as text; where they are not UTF-8, a text that is not well-formed. */
export function textOf(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return NOT_UTF8 + lenient.decode(bytes);
  }
}

/**
 * Makes the protobuf reader keep apart what it reads from invalid UTF-8. By itself it would put U+FFFD in its place, and
 * the answer would be about a text that nobody sent; throwing instead would fail the neighbours in the same message.
 */
export function markInvalidUtf8(): void {
  configureTextEncoding({
    encodeUtf8: (text) => encoder.encode(text),
    encodeUtf8Into: (text, bytes) => encoder.encodeInto(text, bytes),
    decodeUtf8: textOf,
    checkUtf8: (text) => text.isWellFormed(),
  });
}
