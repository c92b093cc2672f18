import assert from "node:assert/strict";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { REFLECTIONS, reflectionDefinition } from "../../../server/rpc/reflection.js";
import { seeded } from "../seeded.js";

const { requestDeserialize } = reflectionDefinition(REFLECTIONS[0]).serverReflectionInfo;
const NAME = "sentiment.v1.Tier";

/** A request of one field. */
const named = (field: number, name: string) =>
  new BinaryWriter().tag(field, WireType.LengthDelimited).string(name).finish();
const extension = (number: number) => {
  const writer = new BinaryWriter().tag(5, WireType.LengthDelimited).fork();
  writer.tag(1, WireType.LengthDelimited).string(NAME).tag(2, WireType.Varint).int32(number);
  return writer.join().finish();
};
const read = (...parts: readonly Uint8Array[]) => requestDeserialize(Buffer.concat(parts));
const hex = (text: string) => Buffer.from(text, "hex");

describe("a request about the services", () => {
  it("is read as the library reads it", () => {
    assert.equal(read(named(4, NAME)).getFileContainingSymbol(), NAME);
    assert.equal(read(named(1, "host"), named(7, "*")).getListServices(), "*");
    const asked = read(extension(7)).getFileContainingExtension();
    assert.deepEqual([asked?.getContainingType(), asked?.getExtensionNumber()], [NAME, 7]);
  });

  // Each would be read for minutes.
  for (const [what, bytes] of [
    ["a name that is cut off", hex("1affffffff07")],
    ["a name that is a number", hex("18ffffffff07")],
    ["a name in a message that is cut off", hex("2a060affffffff07")],
    ["a message that is cut off", hex("2affffffff07")],
    ["a number that is a name", hex("2a0712ffffffff0761")],
    ["a field that nobody knows, cut off", hex("7affffffff07")],
  ] as const) {
    it(`is refused at once where it has ${what}`, () => {
      assert.throws(() => read(named(4, NAME), bytes));
    });
  }

  it("is refused where it is larger than any name", () => {
    assert.throws(() => read(named(4, "n".repeat(20_000))), /over 16384 bytes/);
  });

  it("is read or refused, whatever its bytes are", () => {
    const draw = seeded(1);
    let refused = 0;
    for (let round = 0; round < 5000; round++) {
      const bytes = Buffer.concat([named(draw(1, 7), NAME), extension(draw(0, 9))]);
      for (let times = draw(1, 4); times > 0; times--)
        bytes[draw(0, bytes.length - 1)] = draw(0, 255);
      try {
        requestDeserialize(bytes);
      } catch {
        refused++;
      }
    }
    assert.ok(refused > 1000 && refused < 4900, `${refused}`);
  });
});
