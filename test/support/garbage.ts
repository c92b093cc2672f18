import { randomBytes } from "node:crypto";

/** A stand-in for an answer of Redis. */
export type Garble = (answer: Uint8Array) => Uint8Array;

const bytes = (text: string) => Buffer.from(text, "latin1");
/** What a reader could take for the value of a key: numbers, the first one a format of ours. */
const NUMBERS = bytes(`*1\r\n*42\r\n${":2\r\n".repeat(42)}`);

/** Ways of a server that is no Redis, or of one that is out of its mind, by name. */
export const GARBAGE: ReadonlyMap<string, () => Garble> = new Map([
  [
    "random bytes",
    () =>
      ({ length }) =>
        randomBytes(length),
  ],
  ["a web page", () => () => bytes("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello")],
  ["half of each answer", () => (answer) => answer.subarray(0, answer.length / 2)],
  ["each answer twice", () => (answer) => Buffer.concat([answer, answer])],
  ["the answer before", () => late(bytes("*1\r\n$-1\r\n"))],
  ["numbers for strings", () => () => NUMBERS],
  ["a string for a list", () => () => bytes("$3\r\nabc\r\n")],
  ["nothing for a list", () => () => bytes("*-1\r\n")],
  ["an error for everything", () => () => bytes("-ERR no\r\n")],
  ["a length that never comes", () => () => bytes("$1000000\r\n")],
]);

/** Well-formed, and each time somebody else's. */
function late(first: Uint8Array): Garble {
  let before = first;
  return (answer) => {
    const given = before;
    before = Uint8Array.from(answer);
    return given;
  };
}
