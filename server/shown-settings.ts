import type { z } from "zod";
import { Settings } from "./settings.js";

const SECRET = /(KEY|PASSWORD|SECRET|TOKEN)S?$/;
const HIDDEN = "***";

/** Every setting by its name, as it was given or by default, for whoever may read the status: without secrets. null: unset. */
export const shownSettings = (
  settings: z.infer<typeof Settings>,
  given: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string | null>> =>
  Object.fromEntries(
    Object.keys(Settings.shape).map((name) => {
      const standard = settings[name as keyof typeof settings];
      const text = given[name] ?? (standard === undefined ? null : String(standard));
      return [name, text === null ? null : withoutSecrets(name, text)];
    }),
  );

/** What stands in a URL before its last @, and after a ?, may be a password, also where the URL is a wrong one that nothing has read yet. */
export function withoutSecrets(name: string, text: string): string {
  if (SECRET.test(name)) return HIDDEN;
  if (!name.endsWith("_URL") && !text.includes("://")) return text;
  return text.replace(/^([a-z-]+:\/\/)?.*@/s, `$1${HIDDEN}@`).replace(/\?.*/s, `?${HIDDEN}`);
}
