import { readFile } from "node:fs/promises";
import { z } from "zod";
import { messageOf, StartupError } from "../../core/errors.js";

/** What a key may be allowed: `analyze` is SentimentService, `admin` is AdminService. */
export const RIGHTS = ["analyze", "admin"] as const;
export type Right = (typeof RIGHTS)[number];

/** Of a key's holder; stands in messages and, in time, in metrics. */
export const KeyName = z
  .string()
  .regex(/^[\w.@-]{1,64}$/, "must be 1 to 64 characters: Latin letters, digits, or one of . _ - @");

/** At most far over what any server can do, and within what a double counts exactly. */
export const TokensPerMinute = z.int().min(1).max(1e12);

/** A key is refused from this moment on; a date alone means its first moment in UTC. */
export const Expires = z.union([z.iso.date(), z.iso.datetime({ offset: true })], {
  error: "must be an ISO date, such as 2027-01-31",
});

/** Of every salt, so that hashing with any of them takes the same time. */
export const SALT_BYTES = 16;

const Entry = z.strictObject({
  /** What a key names its entry by; no secret. */
  id: z
    .string()
    .regex(/^[0-9a-f]{16}$/, "must be the 16 hexadecimal digits that follow sap_ in the key"),
  name: KeyName,
  salt: z.string().regex(/^[0-9a-f]{32}$/i, "must be 32 hexadecimal digits"),
  hash: z.string().regex(/^[0-9a-f]{64}$/i, "must be the 64 hexadecimal digits of a SHA-256"),
  rights: z.array(z.enum(RIGHTS)).min(1, "must name one right at least"),
  /** Unset: what the server allows all. */
  tokensPerMinute: TokensPerMinute.optional(),
  expires: Expires.optional(),
});
const KeyFile = z.strictObject({ keys: z.array(Entry) }).superRefine(({ keys }, context) => {
  for (const field of ["name", "id"] as const) {
    const seen = new Set<string>();
    for (const [index, entry] of keys.entries()) {
      if (seen.has(entry[field])) {
        const message = `is the ${field} of an entry before it too`;
        context.addIssue({ code: "custom", path: ["keys", index, field], message });
      }
      seen.add(entry[field]);
    }
  }
});

/** One key as it stands in the file: `hash` is SHA-256 of the bytes of `salt`, then of the key. */
export type KeyEntry = z.infer<typeof Entry>;

/** The entries of a key file. Throws StartupError that names the file, every entry that is wrong, and the mend. */
export async function readKeyFile(path: string): Promise<readonly KeyEntry[]> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    const message = `the key file ${path} cannot be read (${messageOf(error)}): make it with npx sentiment-keys new`;
    throw new StartupError(message, error);
  });
  return parseKeyFile(text, path);
}

/** As `readKeyFile`, of the file's text. */
export function parseKeyFile(text: string, path: string): readonly KeyEntry[] {
  const raw = jsonOf(text, path);
  const parsed = KeyFile.safeParse(raw);
  if (parsed.success) return parsed.data.keys;
  const faults = parsed.error.issues.map((issue) => `${placeOf(issue.path, raw)}${issue.message}`);
  throw new StartupError(
    `the key file ${path} has faults: mend them, or take the entry out and make a new key with npx sentiment-keys new\n  ${faults.join("\n  ")}`,
  );
}

function jsonOf(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, which must not reach the log.
    throw new StartupError(
      `the key file ${path} is not JSON: mend it, or move it away and make it anew with npx sentiment-keys new`,
    );
  }
}

/** Where a fault is, in words: `keys[1] (team-b), salt: `. */
function placeOf(path: readonly PropertyKey[], raw: unknown): string {
  const [list, index, ...rest] = path;
  if (typeof index !== "number") return list === undefined ? "" : `${String(list)}: `;
  const name = nameAt(raw, index);
  const entry = `keys[${index}]${name === undefined ? "" : ` (${name})`}`;
  return rest.length === 0 ? `${entry}: ` : `${entry}, ${rest.map(String).join(".")}: `;
}

/** The name of an entry that is at fault elsewhere, if it has a sound one. */
function nameAt(raw: unknown, index: number): string | undefined {
  const name = (raw as { keys: readonly { name?: unknown }[] }).keys[index]?.name;
  return KeyName.safeParse(name).data;
}
