import assert from "node:assert/strict";
import {
  AnalyzeOptions,
  LongText as LongTextMessage,
  Tier as TierMessage,
} from "../../../server/gen/sentiment/v1/sentiment.js";
import {
  checkBatchSize,
  checkId,
  checkText,
  codePoints,
  longTextOf,
  tierOf,
} from "../../../server/rpc/validate.js";
import { serviceError } from "../outcomes.js";

const LONE_SURROGATE = "\ud800";
/** White space by Unicode's list, but U+0085, and the byte order mark. */
const WHITE_SPACE = [
  ..."\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a",
  ..."\u2028\u2029\u202f\u205f\u3000\ufeff",
];
const codeOf = (character: string) =>
  `U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`;

describe("checkText", () => {
  const check =
    (text: string, maxLength = 5) =>
    () =>
      checkText(text, maxLength, "texts[3]");
  const tooLong = (maxLength: number) =>
    serviceError(
      "TEXT_TOO_LONG",
      `texts[3] is over ${maxLength} characters: shorten it or cut it up.`,
      { field: "texts[3]" },
    );
  const empty = serviceError(
    "TEXT_EMPTY",
    "texts[3] is empty or white space: send a text with words.",
    { field: "texts[3]" },
  );
  const notUtf8 = serviceError(
    "TEXT_NOT_UTF8",
    "texts[3] is not valid UTF-8: send the text encoded as UTF-8.",
    { field: "texts[3]" },
  );

  it("lets a text of exactly the limit pass, and none over it", () => {
    assert.doesNotThrow(check("abcde"));
    assert.throws(check("abcdef"), tooLong(5));
  });

  it("counts an emoji of two UTF-16 units as one character", () => {
    assert.doesNotThrow(check("😀😀😀😀😀"));
    assert.throws(check("😀😀😀😀😀😀"), tooLong(5));
    assert.doesNotThrow(check("😀abcd"));
    assert.throws(check("😀abcde"), tooLong(5));
  });

  it("counts the code points of what looks like one character", () => {
    // A family of three, joined; and an e with its accent apart.
    assert.doesNotThrow(check("👨‍👩‍👧"));
    assert.throws(check("👨‍👩‍👧", 4), tooLong(4));
    assert.throws(check("e\u0301", 1), tooLong(1));
  });

  it("refuses a text without any character", () => {
    assert.throws(check(""), empty);
  });

  for (const character of WHITE_SPACE) {
    it(`refuses a text of ${codeOf(character)} alone`, () => {
      assert.throws(check(character.repeat(2)), empty);
    });
  }

  it("lets a character among white space pass", () => {
    assert.doesNotThrow(check(`${WHITE_SPACE.join("")}a${WHITE_SPACE.join("")}`, 100));
  });

  it("refuses a text over the limit for its length, though it is white space", () => {
    assert.throws(check(" ".repeat(6)), tooLong(5));
  });

  for (const text of [LONE_SURROGATE, `${LONE_SURROGATE}good`, "good\udfff", "\ude00\ud83d"]) {
    it(`refuses ${JSON.stringify(text)} as not UTF-8`, () => {
      assert.throws(check(text), notUtf8);
    });
  }

  it("refuses what is not UTF-8 for that, though it is too long", () => {
    assert.throws(check(`${LONE_SURROGATE}${"a".repeat(20)}`), notUtf8);
  });

  it("lets the replacement character pass that somebody really sent", () => {
    assert.doesNotThrow(check("\ufffd"));
  });
});

describe("codePoints", () => {
  const cases: readonly (readonly [text: string, count: number])[] = [
    ["", 0],
    ["abc", 3],
    ["😀", 1],
    ["a😀b", 3],
    [LONE_SURROGATE, 1],
  ];
  for (const [text, count] of cases) {
    it(`counts ${count} in ${JSON.stringify(text)}`, () => {
      assert.equal(codePoints(text), count);
    });
  }
});

describe("checkBatchSize", () => {
  it("lets one text and the most allowed pass", () => {
    assert.doesNotThrow(() => checkBatchSize(1, 100));
    assert.doesNotThrow(() => checkBatchSize(100, 100));
  });

  it("refuses a batch without texts", () => {
    assert.throws(
      () => checkBatchSize(0, 100),
      serviceError("BATCH_EMPTY", "texts is empty: send at least one text.", { field: "texts" }),
    );
  });

  it("refuses one text too many", () => {
    assert.throws(
      () => checkBatchSize(101, 100),
      serviceError(
        "BATCH_TOO_LARGE",
        "texts has 101 texts, at most 100 are allowed: send several batches.",
        { field: "texts" },
      ),
    );
  });
});

describe("checkId", () => {
  const refused = serviceError(
    "ID_TOO_LONG",
    "id must be valid UTF-8 of at most 128 characters: shorten it.",
    { field: "id" },
  );

  for (const id of ["", "a".repeat(128), "😀".repeat(128)]) {
    it(`lets ${codePoints(id)} characters pass (${id.length} UTF-16 units)`, () => {
      assert.doesNotThrow(() => checkId(id));
    });
  }

  for (const id of ["a".repeat(129), "😀".repeat(129), "a".repeat(257)]) {
    it(`refuses ${codePoints(id)} characters (${id.length} UTF-16 units)`, () => {
      assert.throws(() => checkId(id), refused);
    });
  }

  it("refuses what is not UTF-8", () => {
    assert.throws(() => checkId(`${LONE_SURROGATE}7`), refused);
  });
});

describe("tierOf", () => {
  it("names the tier, or leaves it to the server", () => {
    assert.equal(tierOf(TierMessage.TIER_UNSPECIFIED), undefined);
    assert.equal(tierOf(TierMessage.TIER_FAST), "fast");
    assert.equal(tierOf(TierMessage.TIER_BALANCED), "balanced");
    assert.equal(tierOf(TierMessage.TIER_ACCURATE), "accurate");
  });

  it("says that the cascade is not served", () => {
    assert.throws(
      () => tierOf(TierMessage.TIER_AUTO),
      serviceError("NOT_IMPLEMENTED", "TIER_AUTO is not served by this version: name a tier.", {
        field: "tier",
      }),
    );
  });

  for (const tier of [5, 99, TierMessage.UNRECOGNIZED] as TierMessage[]) {
    it(`refuses ${tier}, which the contract does not have`, () => {
      assert.throws(
        () => tierOf(tier),
        serviceError("TIER_UNKNOWN", `tier ${tier} is unknown: use a value of sentiment.v1.Tier.`, {
          field: "tier",
        }),
      );
    });
  }
});

describe("longTextOf", () => {
  const options = (given: Partial<AnalyzeOptions>): AnalyzeOptions => ({
    ...AnalyzeOptions.decode(new Uint8Array()),
    ...given,
  });

  it("reads all of a text unless told otherwise", () => {
    assert.equal(longTextOf(undefined), "windows");
    assert.equal(longTextOf(options({})), "windows");
  });

  it("does as it is told", () => {
    const { LONG_TEXT_WINDOWS, LONG_TEXT_TRUNCATE, LONG_TEXT_REJECT } = LongTextMessage;
    assert.equal(longTextOf(options({ longText: LONG_TEXT_WINDOWS })), "windows");
    assert.equal(longTextOf(options({ longText: LONG_TEXT_TRUNCATE })), "truncate");
    assert.equal(longTextOf(options({ longText: LONG_TEXT_REJECT })), "reject");
  });

  it("lets skip_cache pass: without caches it is always so", () => {
    assert.equal(longTextOf(options({ skipCache: true })), "windows");
  });

  for (const name of ["explain", "sentences"] as const) {
    it(`says that ${name} is not served, instead of leaving it out silently`, () => {
      assert.throws(
        () => longTextOf(options({ [name]: true })),
        serviceError("NOT_IMPLEMENTED", `${name} is not served by this version: leave it out.`, {
          field: `options.${name}`,
        }),
      );
    });
  }

  it("refuses a value that the contract does not have", () => {
    assert.throws(
      () => longTextOf(options({ longText: 7 as LongTextMessage })),
      serviceError(
        "OPTION_UNKNOWN",
        "options.long_text 7 is unknown: use a value of sentiment.v1.LongText.",
        { field: "options.long_text" },
      ),
    );
  });
});
