import parse, { type Info } from "spdx-expression-parse";
import { z } from "zod";
import type { LockedPackage } from "./lock-file.js";

/** What licences.json holds: which are allowed for all, and which for a single package, and why. */
export const LicenceRules = z.strictObject({
  allowed: z.array(z.string()),
  exceptions: z.record(z.string(), z.strictObject({ licence: z.string(), why: z.string().min(1) })),
});
type LicenceRules = z.infer<typeof LicenceRules>;

/** Packages whose licence is not allowed, and exceptions that no package needs. Empty: none. */
export function licenceFaults(
  packages: readonly Pick<LockedPackage, "name" | "license">[],
  { allowed, exceptions }: LicenceRules,
): readonly string[] {
  const isFine = ({ name, license }: (typeof packages)[number]) =>
    isAllowed(license, new Set(allowed)) ||
    (license !== undefined && license === exceptions[name]?.licence);
  const isNeeded = (name: string) =>
    packages.some(
      (one) => one.name === name && isFine(one) && !isAllowed(one.license, new Set(allowed)),
    );
  return [
    ...packages
      .filter((one) => !isFine(one))
      .map(({ name, license }) => `${name}: ${license ?? "no licence"} is not allowed`),
    ...Object.keys(exceptions)
      .filter((name) => !isNeeded(name))
      .map((name) => `${name}: no package needs this exception`),
  ];
}

/** Of "A OR B" one is enough, of "A AND B" both are wanted. */
function isAllowed(license: string | undefined, allowed: ReadonlySet<string>): boolean {
  const meets = (info: Info): boolean => {
    if ("license" in info) return allowed.has(info.license) && info.exception === undefined;
    const [left, right] = [meets(info.left), meets(info.right)];
    return info.conjunction === "or" ? left || right : left && right;
  };
  try {
    return license !== undefined && meets(parse(license));
  } catch {
    // "SEE LICENSE IN ...": whoever adds the package has to read it, and to make an exception.
    return false;
  }
}
