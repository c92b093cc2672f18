import assert from "node:assert/strict";
import { createLocalJWKSet, SignJWT, UnsecuredJWT } from "jose";
import type { Keys } from "../../../../server/rpc/keys/keys.js";
import { keysOrTokens, tokenHolders } from "../../../../server/rpc/keys/tokens.js";
import {
  AUDIENCE,
  claimsAt,
  confusedToken,
  ISSUER,
  type SigningKey,
  signingKey,
  type TokenClaims,
} from "../../../support/issuer.js";
import { recorder } from "../../../support/recorder.js";

const NOW = Date.parse("2026-11-24T12:00:00Z");
const NOW_S = NOW / 1000;

describe("tokenHolders", () => {
  let key: SigningKey;
  let nowMs: number;
  let keys: Keys;
  let reasons: readonly (readonly [why: string])[];
  before(async () => {
    key = await signingKey("one");
  });
  beforeEach(() => {
    nowMs = NOW;
    keys = take(key);
  });

  function take(...known: readonly SigningKey[]): Keys {
    const [refused, calls] = recorder((_why: string) => {});
    reasons = calls;
    const set = createLocalJWKSet({ keys: known.map(({ jwk }) => jwk) });
    const options = { issuer: ISSUER, audience: AUDIENCE };
    return tokenHolders(set, options, refused, () => nowMs);
  }
  const holderBy = async (claims: TokenClaims) => keys.holderOf(await key.sign(claims, NOW));

  it("knows the holder of a token, by its subject", async () => {
    const holder = await holderBy({});
    assert.deepEqual([holder?.name, holder?.rights], ["jwt:team-a", ["analyze"]]);
    assert.equal(holder?.tokensPerMinute, undefined);
    assert.deepEqual(reasons, []);
  });

  for (const alg of ["RS256", "PS256", "ES256", "ES384", "EdDSA"]) {
    it(`takes signatures by ${alg}`, async () => {
      const other = await signingKey("other", alg);
      keys = take(other);
      assert.ok(await keys.holderOf(await other.sign({}, NOW)));
    });
  }

  const rights: readonly (readonly [claims: TokenClaims, rights: readonly string[]])[] = [
    [{ scope: "sentiment:analyze sentiment:admin" }, ["analyze", "admin"]],
    [{ scope: "sentiment:admin" }, ["admin"]],
    [{ scope: undefined, scp: ["sentiment:analyze"] }, ["analyze"]],
    [{ scope: undefined, scp: "openid sentiment:analyze" }, ["analyze"]],
    [{ scope: "openid", permissions: ["sentiment:admin"] }, ["admin"]],
    [{ scope: "sentiment:analyze", permissions: ["sentiment:admin"] }, ["analyze", "admin"]],
    [{ scope: "analyze sentiment:analyzes SENTIMENT:ADMIN" }, []],
    [{ scope: undefined }, []],
  ];
  for (const [claims, expected] of rights) {
    it(`gives ${JSON.stringify(claims)} the rights ${expected.join() || "none"}`, async () => {
      assert.deepEqual((await holderBy(claims))?.rights, expected);
    });
  }

  it("takes a quota of its holder's own", async () => {
    const holder = await holderBy({ sentiment_tokens_per_minute: 600 });
    assert.equal(holder?.tokensPerMinute, 600);
    for (const quota of [0, -1, 1.5, "600", null])
      assert.equal(await holderBy({ sentiment_tokens_per_minute: quota }), undefined);
    assert.deepEqual(reasons.at(-1), ["claim: sentiment_tokens_per_minute"]);
  });

  it("names subjects that are no names by digests, each its own, and none like a key's holder", async () => {
    const subjects = ["auth0|1", "auth0|2", "a b", "x".repeat(100), "jwt:team-a", "é"];
    const names = await Promise.all(subjects.map(async (sub) => (await holderBy({ sub }))?.name));
    for (const name of names) assert.match(name ?? "", /^jwt#[0-9a-f]{32}$/);
    assert.equal(new Set(names).size, subjects.length);
    assert.equal((await holderBy({ sub: "auth0|1" }))?.name, names[0]);
  });

  const refused: readonly (readonly [what: string, claims: TokenClaims, why: string])[] = [
    ["of another issuer", { iss: "https://other.example" }, "iss"],
    ["without an issuer", { iss: undefined }, "iss"],
    ["for another audience", { aud: "billing" }, "aud"],
    ["for other audiences", { aud: ["billing", "sentiments"] }, "aud"],
    ["without an audience", { aud: undefined }, "aud"],
    ["without an end", { exp: undefined }, "exp"],
    ["without a subject", { sub: undefined }, "sub"],
    ["with an empty subject", { sub: "" }, "sub"],
    ["that is not good yet", { nbf: NOW_S + 60 }, "nbf"],
    ["whose scopes are no words", { scope: 5 }, "scope"],
  ];
  for (const [what, claims, why] of refused) {
    it(`refuses a token ${what}, and tells us why`, async () => {
      assert.equal(await holderBy(claims), undefined);
      assert.equal(reasons.length, 1);
      assert.match(reasons[0]?.[0] ?? "", new RegExp(`: ${why}$`));
    });
  }

  it("takes an audience that is one of several", async () => {
    assert.ok(await holderBy({ aud: ["billing", AUDIENCE] }));
  });

  it("refuses a token from its end on, with five seconds for clocks that differ", async () => {
    const holder = await holderBy({ exp: NOW_S + 10 });
    assert.ok(holder);
    const token = await key.sign({ exp: NOW_S + 10 }, NOW);
    nowMs = NOW + 14_999;
    assert.ok(holder.isCurrent() && (await keys.holderOf(token)));
    nowMs = NOW + 15_000;
    assert.equal(holder.isCurrent(), false);
    assert.equal(await keys.holderOf(token), undefined);
    assert.deepEqual(reasons, [["ERR_JWT_EXPIRED"]]);
  });

  it("refuses what its key has not signed: another key, changed claims, no signature", async () => {
    const token = await key.sign({}, NOW);
    const [head = "", , signature = ""] = token.split(".");
    const more = Buffer.from(JSON.stringify(claimsAt(NOW, { scope: "sentiment:admin" })));
    const stranger = await signingKey("one");
    for (const forged of [
      await stranger.sign({}, NOW),
      `${head}.${more.toString("base64url")}.${signature}`,
      token.slice(0, token.lastIndexOf(".") + 1),
      new UnsecuredJWT(claimsAt(NOW)).encode(),
      `${head}.AAAA.${signature}`,
      "a.b.c",
    ])
      assert.equal(await keys.holderOf(forged), undefined, forged);
    assert.equal(reasons.length, 6);
  });

  it("takes no public key for a shared secret", async () => {
    const rsa = await signingKey("rsa", "RS256");
    const { alg: _, ...anyAlgorithm } = rsa.jwk;
    keys = take({ ...rsa, jwk: anyAlgorithm });
    assert.equal(await keys.holderOf(await confusedToken(rsa, claimsAt(NOW))), undefined);
    assert.deepEqual(reasons, [["ERR_JOSE_ALG_NOT_ALLOWED"]]);
    assert.ok(await keys.holderOf(await rsa.sign({}, NOW)));
  });

  it("refuses a key id that is not in the set, and one that is not told apart", async () => {
    const other = await signingKey("two");
    assert.equal(await keys.holderOf(await other.sign({}, NOW)), undefined);
    assert.deepEqual(reasons, [["ERR_JWKS_NO_MATCHING_KEY"]]);
    keys = take(key, await signingKey("one"));
    assert.equal(await keys.holderOf(await key.sign({}, NOW)), undefined);
    assert.deepEqual(reasons, [["ERR_JWKS_MULTIPLE_MATCHING_KEYS"]]);
  });

  it("tells in no reason what the token holds", async () => {
    const words = "s3cret";
    for (const claims of [{ iss: words }, { aud: words }, { sub: words, scope: [words, 5] }])
      assert.equal(await holderBy(claims), undefined);
    const signed = new SignJWT(claimsAt(NOW)).setProtectedHeader({ alg: "HS256", kid: words });
    const token = await signed.sign(new TextEncoder().encode(words.repeat(10)));
    assert.equal(await keys.holderOf(token), undefined);
    assert.equal(reasons.length, 4);
    assert.doesNotMatch(JSON.stringify(reasons), /s3cret/);
  });
});

describe("keysOrTokens", () => {
  const [askListed, listed] = recorder((_key: string) => undefined);
  const [askTokens, tokens] = recorder((_key: string) => undefined);

  it("sends what looks like a JWT to the one, all else to the other, and no more than a token's length of it", () => {
    const keys = keysOrTokens({ holderOf: askListed }, { holderOf: askTokens });
    const long = "a".repeat(4000);
    const key = `sap_${"0".repeat(16)}_${"s".repeat(43)}`;
    const asTokens = ["a.b.c", "a.b.", "eyJ.eyJ.sig-_", `${long}.${long}.${"a".repeat(190)}`];
    const asKeys = [key, "a.b", "a..c", ".b.c", "a.b.c.d", "a b.c.d", `${long}.${long}.${long}`];
    for (const shown of [...asTokens, ...asKeys]) void keys.holderOf(shown);
    assert.deepEqual(
      tokens.map(([shown]) => shown),
      asTokens,
    );
    assert.deepEqual(
      listed.map(([shown]) => shown),
      asKeys,
    );
  });

  it("knows nobody where there is nobody to ask", () => {
    const nobody = keysOrTokens(undefined, undefined);
    for (const shown of ["a.b.c", "sap_"]) assert.equal(nobody.holderOf(shown), undefined);
  });
});
