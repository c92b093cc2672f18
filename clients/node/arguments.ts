import { parseArgs } from "node:util";
import { Tier } from "../../server/gen/sentiment/v1/sentiment.js";

export const USAGE = `Says whether texts are negative, neutral or positive.

  sentiment "I love it"              one text, or several as several arguments
  sentiment < texts.txt              a text a line, answered in the order of the lines

  --tier fast|balanced|accurate      which model; the server's default when left out
  --address HOST:PORT                the server (default: SENTIMENT_ADDRESS, or 127.0.0.1:50051)
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
    json: values.json ?? false,
    help: values.help ?? false,
  };
}

function read(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        tier: { type: "string" },
        address: { type: "string" },
        json: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
