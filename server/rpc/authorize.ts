import { ServiceError } from "../core/errors.js";
import type { Check, Shown } from "./entrance.js";
import type { Right } from "./keys/key-file.js";
import { type Holder, type Keys, keyUnknown } from "./keys/keys.js";

/** Lets a call pass whose key has one of `rights`. Throws KEY_MISSING, KEY_UNKNOWN or NOT_ALLOWED. */
export const authorize =
  (keys: Keys, ...rights: readonly Right[]): Check =>
  (metadata) => {
    const holder = keys.holderOf(keyIn(metadata));
    return holder instanceof Promise
      ? holder.then((known) => permitted(known, rights))
      : permitted(holder, rights);
  };

/** A server that is open to all has no admins. */
export function refuseAdmin(): never {
  throw new ServiceError(
    "NOT_ALLOWED",
    "AdminService is off: this server has no keys. Set API_KEYS_FILE to a file with a key that has the right admin (npx sentiment-keys new makes one), or JWT_JWKS.",
  );
}

function permitted(holder: Holder | undefined, rights: readonly Right[]): Holder {
  if (holder === undefined) throw keyUnknown();
  if (rights.some((right) => holder.rights.includes(right))) return holder;
  const wanted = rights.join(" or ");
  throw new ServiceError(
    "NOT_ALLOWED",
    `The key of ${holder.name} lacks the right ${wanted}: ask who runs this server for one that has.`,
  );
}

/** Another scheme than Bearer is somebody else's: a proxy's. */
function keyIn(metadata: Shown): string {
  const bearer = /^Bearer +(\S+)$/i.exec(metadata.get("authorization") ?? "")?.[1];
  const key = bearer ?? metadata.get("x-api-key");
  if (key) return key;
  throw new ServiceError(
    "KEY_MISSING",
    'The call has no key: send one in the metadata, as "authorization: Bearer <key>" or "x-api-key: <key>".',
  );
}
