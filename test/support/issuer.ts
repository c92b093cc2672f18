import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  type CryptoKey,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  importJWK,
  type JWK,
  type JWTPayload,
  SignJWT,
} from "jose";

export const ISSUER = "https://issuer.example";
export const AUDIENCE = "sentiment";

export type TokenClaims = Readonly<Record<string, unknown>>;

/** A pair of keys, of which the public one stands in a key set under `kid`. */
export interface SigningKey {
  readonly jwk: JWK;
  /** A token good for a minute from `nowMs`, but for what `claims` say otherwise; undefined takes a claim out. */
  sign(claims?: TokenClaims, nowMs?: number): Promise<string>;
}

export async function signingKey(kid: string, alg = "ES256"): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return {
    jwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" },
    sign: (claims = {}, nowMs = Date.now()) =>
      new SignJWT(claimsAt(nowMs, claims)).setProtectedHeader({ alg, kid }).sign(privateKey),
  };
}

/** What a sound token says, but for `claims`. */
export const claimsAt = (nowMs: number, claims: TokenClaims = {}) =>
  ({
    iss: ISSUER,
    aud: AUDIENCE,
    sub: "team-a",
    exp: Math.floor(nowMs / 1000) + 60,
    scope: "openid sentiment:analyze",
    ...claims,
  }) as JWTPayload;

/** A token that is signed by what all may know, the public key, as if it were a shared secret. */
export async function confusedToken({ jwk }: SigningKey, claims: JWTPayload): Promise<string> {
  const pem = await exportSPKI((await importJWK(jwk)) as CryptoKey);
  const signed = new SignJWT(claims).setProtectedHeader({ alg: "HS256", kid: jwk.kid ?? "" });
  return signed.sign(new TextEncoder().encode(pem));
}

export interface KeySetServer extends AsyncDisposable {
  readonly url: string;
  /** Its key set from now on. */
  keys: readonly JWK[];
  /** 200, or what it fails with. */
  status: number;
  /** Times that it was asked. */
  readonly asked: number;
}

/** A real HTTP server of a key set. */
export async function keySetServer(...keys: readonly JWK[]): Promise<KeySetServer> {
  const state = { keys, status: 200, asked: 0 };
  const server = createServer((_request, response) => {
    state.asked++;
    response.writeHead(state.status, { "content-type": "application/json" });
    response.end(JSON.stringify({ keys: state.keys }));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  return Object.assign(state, {
    url: `http://127.0.0.1:${port}/jwks`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((done) => server.close(done));
      server.closeAllConnections();
      await closed;
    },
  });
}
