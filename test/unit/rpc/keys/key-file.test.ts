import assert from "node:assert/strict";
import { StartupError } from "../../../../server/core/errors.js";
import { parseKeyFile, readKeyFile } from "../../../../server/rpc/keys/key-file.js";

const ENTRY = {
  id: "0123456789abcdef",
  name: "team-a",
  salt: "00112233445566778899aabbccddeeff",
  hash: "ab".repeat(32),
  rights: ["analyze"],
};
const parse = (value: unknown) => parseKeyFile(JSON.stringify(value), "keys.json");

/** The message of the fault, which must be one for the user. */
function faultOf(text: string): string {
  try {
    parseKeyFile(text, "keys.json");
  } catch (error) {
    assert.ok(error instanceof StartupError, String(error));
    return error.message;
  }
  return assert.fail("the file was taken");
}

describe("parseKeyFile", () => {
  it("takes entries with and without an end, and a file without entries", () => {
    const ends = ["2027-01-31", "2027-01-31T12:00:00Z", "2027-01-31T12:00:00+02:00"];
    const keys = [
      ENTRY,
      ...ends.map((expires, index) => ({
        ...ENTRY,
        id: `0123456789abcde${index}`,
        name: `team-${index}`,
        tokensPerMinute: 10 ** (index * 6),
        expires,
      })),
    ];
    assert.deepEqual(parse({ keys }), keys);
    assert.deepEqual(parse({ keys: [] }), []);
  });

  const faults: readonly (readonly [what: string, entry: object, fault: RegExp])[] = [
    ["no name", { ...ENTRY, name: undefined }, /keys\[0\], name: /],
    ["a name with a line end", { ...ENTRY, name: "a\nb" }, /keys\[0\], name: must be 1 to 64/],
    ["no id", { ...ENTRY, id: undefined }, /keys\[0\] \(team-a\), id: /],
    [
      "another id",
      { ...ENTRY, id: "0123456789ABCDEF" },
      /id: must be the 16 .* follow sap_ in the key/,
    ],
    ["a salt that is short", { ...ENTRY, salt: "ab" }, /\(team-a\), salt: must be 32 hexadecimal/],
    ["a salt that is long", { ...ENTRY, salt: `${ENTRY.salt}00` }, /salt: must be 32 hexadecimal/],
    ["no tokens at all", { ...ENTRY, tokensPerMinute: 0 }, /\(team-a\), tokensPerMinute: /],
    ["tokens beyond counting", { ...ENTRY, tokensPerMinute: 1e13 }, /tokensPerMinute: /],
    ["half a token", { ...ENTRY, tokensPerMinute: 1.5 }, /tokensPerMinute: /],
    [
      "a key for its hash",
      { ...ENTRY, hash: "sap_x" },
      /keys\[0\] \(team-a\), hash: must be the 64/,
    ],
    ["no right", { ...ENTRY, rights: [] }, /\(team-a\), rights: must name one right at least/],
    ["a strange right", { ...ENTRY, rights: ["root"] }, /rights\.0: .*"analyze"\|"admin"/],
    ["a strange end", { ...ENTRY, expires: "tomorrow" }, /expires: must be an ISO date, such as/],
    ["a field misspelt", { ...ENTRY, expire: "2027-01-31" }, /keys\[0\] \(team-a\): .*"expire"/],
  ];
  for (const [what, entry, fault] of faults) {
    it(`names file, entry and mend of ${what}`, () => {
      const message = faultOf(JSON.stringify({ keys: [entry] }));
      assert.match(message, /^the key file keys\.json has faults: mend them, or .*sentiment-keys/);
      assert.match(message, fault);
    });
  }

  it("names all faults at once, and a name or an id that stands twice", () => {
    const message = faultOf(JSON.stringify({ keys: [{ ...ENTRY, salt: "" }, { name: "b" }] }));
    for (const place of ["keys[0] (team-a), salt", "keys[1] (b), salt", "keys[1] (b), hash"])
      assert.ok(message.includes(place), message);
    const twice = faultOf(JSON.stringify({ keys: [ENTRY, ENTRY] }));
    assert.match(twice, /keys\[1\] \(team-a\), name: is the name of an entry before it/);
    const named = faultOf(JSON.stringify({ keys: [ENTRY, { ...ENTRY, name: "team-b" }] }));
    assert.match(named, /keys\[1\] \(team-b\), id: is the id of an entry before it/);
    assert.doesNotMatch(named, /, name: is/);
  });

  it("names what is not a list of keys, and quotes nothing of what is not JSON", () => {
    assert.match(faultOf("{}"), /keys: /);
    assert.match(faultOf("[]"), /the key file keys\.json has faults/);
    const message = faultOf('{"keys": [sap_secret]}');
    assert.match(message, /keys\.json is not JSON: mend it, or/);
    assert.doesNotMatch(message, /secret/);
  });
});

describe("readKeyFile", () => {
  it("names a file that is not there, and how to make one", async () => {
    await assert.rejects(readKeyFile("no-such-file.json"), {
      name: "StartupError",
      message: /no-such-file\.json cannot be read .*make it with npx sentiment-keys new/,
    });
  });
});
