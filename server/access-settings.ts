import { z } from "zod";
import { TIERS } from "./core/tiers.js";
import { whole } from "./setting-kinds.js";

/** Of each tier, in the order of TIERS. */
const WEIGHTS = new RegExp(`^${TIERS.map((tier) => `${tier}=\\d{1,4}(\\.\\d{1,2})?`).join()}$`);

/** Who may connect and call, and how much. */
export const ACCESS_SETTINGS = {
  API_KEYS_FILE: z
    .string()
    .min(1)
    .optional()
    .describe(
      "file of hashed keys, read again when it changes (`npx sentiment-keys` makes it); unset, and JWT_JWKS too: all may analyze, and AdminService is off",
    ),
  JWT_JWKS: z
    .string()
    .min(1)
    .optional()
    .describe(
      "JSON Web Key Set of who issues tokens (JWT) to callers: a URL by https (by http only on this machine), fetched every five minutes and for keys that are not in it, or a file, read again when it changes; in place of API_KEYS_FILE or beside it",
    ),
  JWT_ISSUER: z
    .string()
    .min(1)
    .optional()
    .describe("the `iss` that a token must have; needed with JWT_JWKS"),
  JWT_AUDIENCE: z
    .string()
    .min(1)
    .optional()
    .describe("the `aud`, or one of them, that a token must have; needed with JWT_JWKS"),
  TOKENS_PER_MINUTE: whole(0, 1_000_000_000_000)
    .default(0)
    .describe(
      "tokens that each key may have analyzed a minute whose entry in API_KEYS_FILE has no `tokensPerMinute`; without keys each client's address (of IPv6 its network of 64 bits); what is over is refused with RATE_LIMITED, streams wait; 0: no quota",
    ),
  QUOTA_WEIGHTS: z
    .string()
    .regex(WEIGHTS, "must be a number for each tier, such as fast=1,balanced=2,accurate=10")
    .default("fast=1,balanced=2,accurate=10")
    .describe(
      "what a token counts for that a tier's model reads; what a cache answers counts for nothing",
    ),
  QUOTA_MODE: z
    .enum(["enforce", "shadow"])
    .default("enforce")
    .describe("`shadow`: nobody is refused for a quota; metrics and log tell who would have been"),
  TLS_CERT: z
    .string()
    .min(1)
    .optional()
    .describe(
      "PEM file with the certificate of the gRPC port and those that it was signed with; read again when it changes, as are the next two; unset: plaintext",
    ),
  TLS_KEY: z.string().min(1).optional().describe("PEM file with the key of TLS_CERT"),
  TLS_CLIENT_CA: z
    .string()
    .min(1)
    .optional()
    .describe(
      "PEM file with the certificates of CAs; only clients that show a certificate of one of them can connect (mutual TLS); unset: all can",
    ),
} as const;
