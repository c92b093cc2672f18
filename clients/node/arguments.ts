import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Tier } from "../../server/gen/sentiment/v1/sentiment.js";

export const USAGE = `Says whether texts are negative, neutral or positive.

  sentiment "I love it"              one text, or several as several arguments
  sentiment < texts.txt              a text a line, answered in the order of the lines

  --tier fast|balanced|accurate      which model; the server's default when left out
  --address HOST:PORT                the server (default: SENTIMENT_ADDRESS, or 127.0.0.1:50051)
  --key-file FILE                    file with the key for a server that asks for one; else SENTIMENT_API_KEY is the key
  --json                             one JSON object a text instead of a line to read
  --help

Exit code: 0 all answered, 1 a text was refused or the server cannot be reached, 2 wrong arguments.
`;

const TIERS: Readonly<Record<string, Tier>> = {
  fast: Tier.TIER_FAST,
  balanced: Tier.TIER_BALANCED,
  accurate: Tier.TIER_ACCURATE,
  auto: Tier.TIER_AUTO,
};

export interface Arguments {
  /** Empty: texts come from standard input. */
  readonly texts: readonly string[];
  readonly tier: Tier;
  readonly address: string;
  /** undefined: none is sent. */
  readonly key: string | undefined;
  readonly json: boolean;
  readonly help: boolean;
}

/** The caller has to mend the command line. */
export class UsageError extends Error {}

export function parseArguments(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Arguments {
  const { values, positionals } = read(args);
  const tier = values.tier === undefined ? Tier.TIER_UNSPECIFIED : TIERS[values.tier];
  if (tier === undefined) {
    throw new UsageError(`--tier ${values.tier} is unknown: use ${Object.keys(TIERS).join(", ")}`);
  }
  return {
    texts: positionals,
    tier,
    address: values.address ?? env["SENTIMENT_ADDRESS"] ?? "127.0.0.1:50051",
    key: keyOf(values["key-file"], env["SENTIMENT_API_KEY"]),
    json: values.json ?? false,
    help: values.help ?? false,
  };
}

/** The key itself stands in no message. */
function keyOf(file: string | undefined, fromEnv: string | undefined): string | undefined {
  if (file === undefined && !fromEnv) return undefined;
  const key = file === undefined ? fromEnv : readKey(file);
  // What metadata cannot carry, gRPC would repeat in its own message.
  if (key && /^[\x21-\x7e]+$/.test(key)) return key;
  const source = file === undefined ? "SENTIMENT_API_KEY" : `--key-file ${file}`;
  throw new UsageError(`${source} must hold a key, and nothing else`);
}

function readKey(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    throw new UsageError(
      `--key-file cannot be read (${error instanceof Error ? error.message : String(error)})`,
    );
  }
}

function read(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        tier: { type: "string" },
        address: { type: "string" },
        "key-file": { type: "string" },
        json: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
