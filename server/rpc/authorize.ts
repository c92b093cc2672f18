import type { Metadata } from "nice-grpc-common";
import { ServiceError } from "../core/errors.js";
import type { Check } from "./around-calls.js";
import type { Right } from "./keys/key-file.js";
import type { Holder, Keys } from "./keys/keys.js";

/**
 * Lets a call pass whose key has one of `rights`; without `keys` (none are configured), every call. Throws KEY_MISSING,
 * KEY_UNKNOWN or NOT_ALLOWED. A stream is checked when it begins.
 */
export const authorize =
  (keys: Keys | undefined, ...rights: readonly Right[]): Check =>
  (metadata) =>
    keys && holderOf(keys, rights, metadata);

/** As `authorize` for the right `admin`; without `keys` no call passes: a server that is open to all has no admins. */
export const authorizeAdmin = (keys: Keys | undefined): Check =>
  keys === undefined ? refuseAdmin : authorize(keys, "admin");

function refuseAdmin(): never {
  throw new ServiceError(
    "NOT_ALLOWED",
    "AdminService is off: this server has no keys. Set API_KEYS_FILE to a file with a key that has the right admin (npx sentiment-keys new makes one).",
  );
}

function holderOf(keys: Keys, rights: readonly Right[], metadata: Metadata): Holder {
  const key = keyIn(metadata);
  if (key === undefined) {
    throw new ServiceError(
      "KEY_MISSING",
      'The call has no key: send one in the metadata, as "authorization: Bearer <key>" or "x-api-key: <key>".',
    );
  }
  const holder = keys.holderOf(key);
  if (holder === undefined) {
    throw new ServiceError(
      "KEY_UNKNOWN",
      "The key is unknown here or has expired: ask who runs this server for a new one.",
    );
  }
  if (!rights.some((right) => holder.rights.includes(right))) {
    const wanted = rights.join(" or ");
    throw new ServiceError(
      "NOT_ALLOWED",
      `The key of ${holder.name} lacks the right ${wanted}: ask who runs this server for one that has.`,
    );
  }
  return holder;
}

/** Another scheme than Bearer is somebody else's: a proxy's. */
function keyIn(metadata: Metadata): string | undefined {
  const bearer = /^Bearer +(\S+)$/i.exec(metadata.get("authorization") ?? "")?.[1];
  return bearer ?? (metadata.get("x-api-key") || undefined);
}
