#!/usr/bin/env node
import { parseArgs } from "node:util";
import { messageOf, StartupError } from "./core/errors.js";
import {
  Expires,
  KeyName,
  RIGHTS,
  type Right,
  readKeyFile,
  TokensPerMinute,
} from "./rpc/keys/key-file.js";
import { keyTable } from "./rpc/keys/key-table.js";
import { addNewKey } from "./rpc/keys/new-key.js";
import { revokeKey } from "./rpc/keys/revoke-key.js";

const USAGE = `Keys for callers of the server. The file has only their hashes; a running server takes a change in within a second.

  sentiment-keys new --name NAME     prints a new key, once, and adds it to the file
  sentiment-keys list                whose keys the file has, and what they may do
  sentiment-keys revoke --name NAME  takes that key out of the file

  --rights analyze,admin             new: what it may do (default: analyze)
  --tokens-per-minute N              new: what it may have analyzed (default: what all may)
  --expires DATE                     new: when it ends, as 2027-01-31 or 2027-01-31T12:00:00Z (default: never)
  --file FILE                        default: API_KEYS_FILE, or api-keys.json
  --help

Exit code: 0 done, 1 the file cannot be used or has no such key, 2 wrong arguments.
`;

/** The caller has to mend the command line. */
class UsageError extends Error {}

type Values = ReturnType<typeof read>["values"];

interface Command {
  /** What it takes besides --file. */
  readonly options: readonly string[];
  readonly run: (values: Values, file: string) => Promise<void>;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  new: { options: ["name", "rights", "tokens-per-minute", "expires"], run: makeKey },
  list: { options: [], run: listKeys },
  revoke: { options: ["name"], run: revoke },
};

function read(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        name: { type: "string" },
        rights: { type: "string" },
        "tokens-per-minute": { type: "string" },
        expires: { type: "string" },
        file: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
}

function nameOf({ name }: Values): string {
  if (name === undefined) throw new UsageError("--name is missing: say whose key it is");
  const { error } = KeyName.safeParse(name);
  if (error) throw new UsageError(`--name ${name} ${error.issues[0]?.message}`);
  return name;
}

function rightsOf({ rights = "analyze" }: Values): Right[] {
  return [...new Set(rights.split(","))].map((word) => {
    const right = RIGHTS.find((known) => known === word);
    if (right === undefined)
      throw new UsageError(`--rights ${word} is unknown: use ${RIGHTS.join(",")}`);
    return right;
  });
}

function quotaOf({ "tokens-per-minute": text }: Values): { tokensPerMinute?: number } {
  if (text === undefined) return {};
  const { data } = TokensPerMinute.safeParse(/^\d+$/.test(text) ? Number(text) : undefined);
  if (data === undefined)
    throw new UsageError(`--tokens-per-minute ${text} must be a whole number, of 1 or more`);
  return { tokensPerMinute: data };
}

function endOf({ expires }: Values): { expires?: string } {
  if (expires === undefined) return {};
  const { error } = Expires.safeParse(expires);
  if (error) throw new UsageError(`--expires ${expires} ${error.issues[0]?.message}`);
  if (Date.parse(expires) <= Date.now()) throw new UsageError(`--expires ${expires} is over`);
  return { expires };
}

async function makeKey(values: Values, file: string): Promise<void> {
  const name = nameOf(values);
  const rights = rightsOf(values);
  const key = await addNewKey(file, name, rights, { ...quotaOf(values), ...endOf(values) });
  // The key alone on standard output, for scripts that put it away.
  process.stdout.write(`${key}\n`);
  process.stderr.write(
    `sentiment-keys: the key of ${name} (${rights.join(", ")}) is shown this once; its hash is in ${file}\n`,
  );
}

async function listKeys(_values: Values, file: string): Promise<void> {
  process.stdout.write(keyTable(await readKeyFile(file), Date.now()));
}

async function revoke(values: Values, file: string): Promise<void> {
  const name = nameOf(values);
  await revokeKey(file, name);
  process.stderr.write(`sentiment-keys: the key of ${name} is no longer in ${file}\n`);
}

async function main(): Promise<void> {
  const { values, positionals } = read(process.argv.slice(2));
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const word = positionals.join(" ");
  const command = Object.hasOwn(COMMANDS, word) ? COMMANDS[word] : undefined;
  if (command === undefined)
    throw new UsageError(`say what to do: ${Object.keys(COMMANDS).join(", ")}`);
  const strange = Object.keys(values).find(
    (option) => option !== "file" && !command.options.includes(option),
  );
  if (strange !== undefined) throw new UsageError(`--${strange} is not for ${word}`);
  await command.run(values, values.file ?? (process.env["API_KEYS_FILE"] || "api-keys.json"));
}

try {
  await main();
} catch (error) {
  if (!(error instanceof UsageError || error instanceof StartupError)) throw error;
  const usage = error instanceof UsageError;
  process.stderr.write(`sentiment-keys: ${error.message}\n${usage ? `\n${USAGE}` : ""}`);
  process.exitCode = usage ? 2 : 1;
}
