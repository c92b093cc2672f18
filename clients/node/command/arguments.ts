import { readFileSync } from "node:fs";
import type { ConnectOptions, Tier } from "../options.js";
import { TIERS } from "../wire.js";
import { messageOf, UsageError } from "./faults.js";
import { type FileArguments, fileArguments } from "./file-arguments.js";
import { readValues, type Values } from "./values.js";

export interface Arguments {
  /** Empty: texts come from the files. */
  readonly texts: readonly string[];
  readonly files: FileArguments;
  readonly tier: Tier | undefined;
  /** undefined: the client's default. */
  readonly address: string | undefined;
  readonly connection: ConnectOptions;
  readonly giveUpMs: number;
  readonly help: boolean;
}

/** Throws UsageError. */
export function parseArguments(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Arguments {
  const { values, positionals } = readValues(args);
  return {
    texts: positionals,
    files: fileArguments(values, positionals.length > 0),
    tier: tierOf(values.tier),
    address: values.address,
    connection: { apiKey: keyOf(values["key-file"], env["SENTIMENT_API_KEY"]), tls: tlsOf(values) },
    giveUpMs: secondsOf("give-up", values["give-up"] ?? "60") * 1000,
    help: values.help ?? false,
  };
}

function tierOf(tier: string | undefined): Tier | undefined {
  if (tier === undefined || Object.hasOwn(TIERS, tier)) return tier as Tier | undefined;
  throw new UsageError(`--tier ${tier} is unknown: use ${Object.keys(TIERS).join(", ")}`);
}

function secondsOf(name: string, given: string): number {
  if (/^\d+(\.\d+)?$/.test(given)) return Number(given);
  throw new UsageError(`--${name} ${given} must be a number of seconds`);
}

/** The key itself stands in no message. */
function keyOf(file: string | undefined, fromEnv: string | undefined): string | undefined {
  if (file === undefined && !fromEnv) return undefined;
  const key = file === undefined ? fromEnv : readKey(file);
  if (key && /^[\x21-\x7e]+$/.test(key)) return key;
  const source = file === undefined ? "SENTIMENT_API_KEY" : `--key-file ${file}`;
  throw new UsageError(`${source} must hold a key, and nothing else`);
}

function readKey(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    throw new UsageError(`--key-file cannot be read (${messageOf(error)})`);
  }
}

/** undefined: as the address says. */
function tlsOf(values: Values): ConnectOptions["tls"] {
  const [caFile, certFile, keyFile] = [values["tls-ca"], values["tls-cert"], values["tls-key"]];
  if ((certFile === undefined) !== (keyFile === undefined))
    throw new UsageError("--tls-cert and --tls-key go together");
  if (caFile === undefined && certFile === undefined) return values.tls;
  return { caFile, certFile, keyFile };
}
