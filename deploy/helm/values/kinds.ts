import { z } from "zod";

type Shape = Readonly<Record<string, z.ZodType>>;

/** Values that belong together; a name that is not among them is refused. */
export const group = <S extends Shape>(description: string, shape: S) =>
  z.strictObject(shape).describe(description);

export const text = (standard: string, description: string) =>
  z.string().default(standard).describe(description);

export const flag = (standard: boolean, description: string) =>
  z.boolean().default(standard).describe(description);

export const whole = (standard: number, least: number, most: number, description: string) =>
  z.int().min(least).max(most).default(standard).describe(description);

export const choice = <const T extends readonly [string, ...string[]]>(
  options: T,
  standard: T[number],
  description: string,
) => z.enum(options).default(standard).describe(description);

export const texts = (standard: readonly string[], description: string) =>
  z
    .array(z.string())
    .default([...standard])
    .describe(description);

/** Labels, annotations: names and texts. */
export const textMap = (standard: Readonly<Record<string, string>>, description: string) =>
  z.record(z.string(), z.string()).default(standard).describe(description);

/** An object of Kubernetes's own, which checks it. */
export const object = (standard: Readonly<Record<string, unknown>>, description: string) =>
  z.record(z.string(), z.unknown()).default(standard).describe(description);

/** Several of them. */
export const objects = (
  standard: readonly Readonly<Record<string, unknown>>[],
  description: string,
) =>
  z
    .array(z.record(z.string(), z.unknown()))
    .default([...standard])
    .describe(description);

export const SECRET = "name of a Secret of the same namespace that is there already";
