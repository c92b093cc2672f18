import { z } from "zod";

export const whole = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d+$/, "must be a whole number")
    .transform(Number)
    .pipe(z.number().min(least).max(most));

/** "5", "0.25". */
export const decimal = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d+(\.\d+)?$/, "must be a number such as 5 or 0.25")
    .transform(Number)
    .pipe(z.number().min(least).max(most));

const UNITS = { "": 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 } as const;
/** "2GB", "4g", "512m", "1073741824": in bytes, a k being 1,024. Without the flag `i`, which the chart's JSON schema could not say. */
export const size = z
  .string()
  .regex(/^\d+(\.\d+)? ?([kmgKMG]?)([iI]?[bB])?$/, "must be a size such as 512m, 2GB or 4g")
  .transform((text) => {
    const unit = /[kmg]/i.exec(text)?.[0].toLowerCase() ?? "";
    return Math.round(Number.parseFloat(text) * UNITS[unit as keyof typeof UNITS]);
  })
  .pipe(z.number().min(2 ** 20));

export const flag = z.enum(["true", "false"]).transform((value) => value === "true");
