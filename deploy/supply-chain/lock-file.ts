import { z } from "zod";

const Ranges = z.record(z.string(), z.string());

/** Of package-lock.json, what tells where packages come from and what they may be used for. */
const LockFile = z.object({
  lockfileVersion: z.literal(3),
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().optional(),
      resolved: z.string().optional(),
      integrity: z.string().optional(),
      license: z.string().optional(),
      dependencies: Ranges.optional(),
      devDependencies: Ranges.optional(),
    }),
  ),
});

export interface LockedPackage {
  readonly name: string;
  readonly version: string | undefined;
  /** An SPDX expression; undefined: the package names none. */
  readonly license: string | undefined;
  readonly resolved: string | undefined;
  readonly integrity: string | undefined;
}

/** All packages that `npm ci` may install, those for other platforms too. */
export function packagesOf(lockFile: string): readonly LockedPackage[] {
  const { packages } = LockFile.parse(JSON.parse(lockFile));
  return Object.entries(packages)
    .filter(([place]) => place !== "")
    .map(([place, { version, license, resolved, integrity }]) => ({
      name: place.slice(place.lastIndexOf("node_modules/") + "node_modules/".length),
      version,
      license,
      resolved,
      integrity,
    }));
}

/** What is asked of a registry; else it is a repository, a URL or a folder, which no digest holds to what it was. */
const FROM_REGISTRY = /^[~^]?\d+\.\d+\.\d+(-[\w.]+)?$/;
const DIGEST = /^sha512-[A-Za-z0-9+/]{86}==$/;

/** Packages that could be another's tomorrow, and registries that only one machine knows (docs/decisions.md, 8). Empty: none. */
export function lockFaults(lockFile: string): readonly string[] {
  const { "": own } = LockFile.parse(JSON.parse(lockFile)).packages;
  const asked = Object.entries({ ...own?.dependencies, ...own?.devDependencies });
  return [
    ...asked
      .filter(([, range]) => !FROM_REGISTRY.test(range))
      .map(([name, range]) => `${name}: ${range} is no version of a registry`),
    ...packagesOf(lockFile).flatMap(({ name, resolved, integrity }) => [
      ...(resolved === undefined ? [] : [`${name}: "resolved" names where it was downloaded`]),
      ...(integrity && DIGEST.test(integrity) ? [] : [`${name}: it has no sha-512`]),
    ]),
  ];
}
