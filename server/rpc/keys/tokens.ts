import { createHash } from "node:crypto";
import { errors, type JWTVerifyGetKey, jwtVerify } from "jose";
import { z } from "zod";
import { KeyName, RIGHTS, TokensPerMinute } from "./key-file.js";
import type { Holder, Keys } from "./keys.js";

/** Who has to have made a token, and for whom. */
export interface TokenOptions {
  readonly issuer: string;
  readonly audience: string;
}

/** Far over what issuers make. Nothing is read of what is longer. */
const MAX_TOKEN_LENGTH = 8192;
/** Signatures that only the holder of a private key can make: what checks them is public, and must be good for nothing else. */
const ALGORITHMS = [
  ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
  ...["ES256", "ES384", "ES512", "EdDSA", "Ed25519"],
];
/** How far the issuer's clock may be off. */
const CLOCK_TOLERANCE_S = 5;

/** Words with blanks between them (RFC 8693), or a list of them, as some issuers have it. */
const Words = z
  .union([z.string().transform((text) => text.split(" ")), z.array(z.string())])
  .default([]);
const Claims = z.object({
  sub: z.string().min(1),
  exp: z.number(),
  scope: Words,
  scp: Words,
  permissions: Words,
  sentiment_tokens_per_minute: TokensPerMinute.optional(),
});

/** Whether it looks like a JWT: three parts, with dots between them. */
const isToken = (key: string): boolean =>
  key.length <= MAX_TOKEN_LENGTH && /^[\w-]+\.[\w-]+\.[\w-]*$/.test(key);

/** Tokens go to `tokens`, all else to `listed`: told apart by their looks, so that nothing is tried at both. */
export const keysOrTokens = (listed: Keys | undefined, tokens: Keys | undefined): Keys => ({
  holderOf: (key) => (isToken(key) ? tokens : listed)?.holderOf(key),
});

/**
 * Holders by JWT. `keyFor` finds the public key that a token names; `nowMs` is the time of day, in milliseconds since 1970.
 * `refused` is told why a token is refused, in words that hold nothing of it: the caller is not.
 */
export function tokenHolders(
  keyFor: JWTVerifyGetKey,
  { issuer, audience }: TokenOptions,
  refused: (why: string) => void,
  nowMs: () => number = Date.now,
): Keys {
  const options = {
    issuer,
    audience,
    algorithms: ALGORITHMS,
    requiredClaims: ["exp", "sub"],
    clockTolerance: CLOCK_TOLERANCE_S,
  };
  return {
    async holderOf(token) {
      try {
        const currentDate = new Date(nowMs());
        const { payload } = await jwtVerify(token, keyFor, { ...options, currentDate });
        return holderBy(Claims.parse(payload), nowMs);
      } catch (error) {
        // Whatever it is: who cannot be checked is not let in.
        refused(whyOf(error));
        return undefined;
      }
    },
  };
}

function holderBy(claims: z.infer<typeof Claims>, nowMs: () => number): Holder {
  const scopes = new Set([...claims.scope, ...claims.scp, ...claims.permissions]);
  const tokensPerMinute = claims.sentiment_tokens_per_minute;
  const endMs = (claims.exp + CLOCK_TOLERANCE_S) * 1000;
  return {
    name: nameOf(claims.sub),
    rights: RIGHTS.filter((right) => scopes.has(`sentiment:${right}`)),
    ...(tokensPerMinute !== undefined && { tokensPerMinute }),
    isCurrent: () => nowMs() < endMs,
  };
}

/** Never that of a key in the file: no subject gets at another holder's quota. One that is no sound name is told by its digest. */
function nameOf(subject: string): string {
  if (KeyName.safeParse(subject).success) return `jwt:${subject}`;
  return `jwt#${createHash("sha256").update(subject).digest("hex").slice(0, 32)}`;
}

function whyOf(error: unknown): string {
  if (error instanceof errors.JWTClaimValidationFailed) return `${error.code}: ${error.claim}`;
  if (error instanceof errors.JOSEError) return error.code;
  if (error instanceof z.ZodError) return `claim: ${error.issues[0]?.path.join(".")}`;
  return error instanceof Error ? error.name : "unknown";
}
