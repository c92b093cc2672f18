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
  echoOf,
  questionOf,
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

  it("names the field that the texts are in", () => {
    const message = "TEXT is empty: send at least one text.";
    const refused = serviceError("BATCH_EMPTY", message, { field: "TEXT" });
    assert.throws(() => checkBatchSize(0, 100, "TEXT"), refused);
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

describe("echoOf", () => {
  const cases: readonly (readonly [what: string, id: string, echo: string])[] = [
    ["no id", "", ""],
    ["an id that is accepted", "a".repeat(128), "a".repeat(128)],
    ["one character too many", "a".repeat(129), "a".repeat(128)],
    ["one emoji too many", "😀".repeat(129), "😀".repeat(128)],
    ["emoji at odd places", `a${"😀".repeat(200)}`, `a${"😀".repeat(127)}`],
    ["what is not UTF-8", `${LONE_SURROGATE}7`, "\ufffd7"],
    ["what is neither", LONE_SURROGATE.repeat(200), "\ufffd".repeat(128)],
  ];
  for (const [what, id, echo] of cases) {
    it(`sends back ${what}, so far as it may`, () => {
      assert.equal(echoOf(id), echo);
      assert.doesNotThrow(() => checkId(echoOf(id)));
    });
  }
});

describe("tierOf", () => {
  it("names the tier, or leaves it to the server", () => {
    assert.equal(tierOf(TierMessage.TIER_UNSPECIFIED), undefined);
    assert.equal(tierOf(TierMessage.TIER_FAST), "fast");
    assert.equal(tierOf(TierMessage.TIER_BALANCED), "balanced");
    assert.equal(tierOf(TierMessage.TIER_ACCURATE), "accurate");
  });

  it("names the cascade", () => {
    assert.equal(tierOf(TierMessage.TIER_AUTO), "auto");
  });

  for (const tier of [5, 99, TierMessage.UNRECOGNIZED] as TierMessage[]) {
    it(`refuses ${tier}, which the contract does not have`, () => {
      assert.throws(
        () => tierOf(tier),
        serviceError(
          "TIER_UNKNOWN",
          `tier ${tier} is unknown: use TIER_FAST, TIER_BALANCED, TIER_ACCURATE or TIER_AUTO.`,
          {
            field: "tier",
          },
        ),
      );
    });
  }
});

describe("questionOf", () => {
  const options = (given: Partial<AnalyzeOptions>): AnalyzeOptions => ({
    ...AnalyzeOptions.decode(new Uint8Array()),
    ...given,
  });
  const plain = { longText: "windows", sentences: false, explain: false, skipCache: false };

  it("asks for the verdict on all of a text unless told otherwise", () => {
    assert.deepEqual(questionOf(undefined), plain);
    assert.deepEqual(questionOf(options({})), plain);
  });

  it("does with long texts as it is told", () => {
    const { LONG_TEXT_WINDOWS, LONG_TEXT_TRUNCATE, LONG_TEXT_REJECT } = LongTextMessage;
    assert.deepEqual(questionOf(options({ longText: LONG_TEXT_WINDOWS })), plain);
    assert.deepEqual(questionOf(options({ longText: LONG_TEXT_TRUNCATE })), {
      ...plain,
      longText: "truncate",
    });
    assert.deepEqual(questionOf(options({ longText: LONG_TEXT_REJECT })), {
      ...plain,
      longText: "reject",
    });
  });

  for (const name of ["explain", "sentences"] as const) {
    it(`asks for ${name} alone`, () => {
      assert.deepEqual(questionOf(options({ [name]: true })), { ...plain, [name]: true });
    });
  }

  it("asks for a new answer where caches are to be skipped", () => {
    assert.deepEqual(questionOf(options({ skipCache: true })), { ...plain, skipCache: true });
  });

  it("refuses a value that the contract does not have", () => {
    assert.throws(
      () => questionOf(options({ longText: 7 as LongTextMessage })),
      serviceError(
        "OPTION_UNKNOWN",
        "options.long_text 7 is unknown: use LONG_TEXT_WINDOWS, LONG_TEXT_TRUNCATE or LONG_TEXT_REJECT.",
        { field: "options.long_text" },
      ),
    );
  });
});
