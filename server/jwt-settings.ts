import type { z } from "zod";
import type { Settings } from "./settings.js";

type Given = Pick<z.infer<typeof Settings>, "JWT_JWKS" | "JWT_ISSUER" | "JWT_AUDIENCE">;

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** Whose tokens are taken; undefined: nobody's. `keySet` is a URL, or a file's path. */
export function jwtOf({ JWT_JWKS, JWT_ISSUER, JWT_AUDIENCE }: Given) {
  if (JWT_JWKS === undefined || JWT_ISSUER === undefined || JWT_AUDIENCE === undefined)
    return undefined;
  const keySet = isUrl(JWT_JWKS) ? new URL(JWT_JWKS) : JWT_JWKS;
  return { keySet, issuer: JWT_ISSUER, audience: JWT_AUDIENCE } as const;
}

/** What is wrong with them together: who sets one of them counts on tokens being asked for. */
export function jwtFaults(given: Given): string[] {
  const names = ["JWT_JWKS", "JWT_ISSUER", "JWT_AUDIENCE"] as const;
  const isMeant = names.some((name) => given[name] !== undefined);
  const missing = isMeant ? names.filter((name) => given[name] === undefined) : [];
  const faults = missing.map((name) => `${name}: must be set too: ${names.join(", ")} go together`);
  // Without the value, which may hold a password.
  if (given.JWT_JWKS !== undefined && !isUsable(given.JWT_JWKS))
    faults.push(
      "JWT_JWKS: must be a URL by https (by http only on this machine) without a user and password, or the path of a file",
    );
  return faults;
}

const isUrl = (text: string): boolean => text.includes("://");

function isUsable(text: string): boolean {
  if (!isUrl(text)) return true;
  const url = URL.parse(text);
  if (url === null || url.username !== "" || url.password !== "") return false;
  return url.protocol === "https:" || (url.protocol === "http:" && LOOPBACK.test(url.hostname));
}
