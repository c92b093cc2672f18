#!/usr/bin/env node
import { parseArgs } from "node:util";
import { messageOf, StartupError } from "./core/errors.js";
import { KeyName, RIGHTS, type Right } from "./rpc/keys/key-file.js";
import { addNewKey } from "./rpc/keys/new-key.js";

const USAGE = `Makes keys for callers of the server. The file has only their hashes; a running server takes it in within a second.

  sentiment-keys new --name NAME     prints a new key, once, and adds it to the file

  --rights analyze,admin             what it may do (default: analyze)
  --file FILE                        default: API_KEYS_FILE, or api-keys.json
  --help

Exit code: 0 made, 1 the file cannot be used, 2 wrong arguments.
`;

/** The caller has to mend the command line. */
class UsageError extends Error {}

function read(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        name: { type: "string" },
        rights: { type: "string", default: "analyze" },
        file: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
}

function nameOf(name: string | undefined): string {
  if (name === undefined) throw new UsageError("--name is missing: say whose key it is");
  const { error } = KeyName.safeParse(name);
  if (error) throw new UsageError(`--name ${name} ${error.issues[0]?.message}`);
  return name;
}

function rightsOf(list: string): Right[] {
  return [...new Set(list.split(","))].map((word) => {
    const right = RIGHTS.find((known) => known === word);
    if (right === undefined)
      throw new UsageError(`--rights ${word} is unknown: use ${RIGHTS.join(",")}`);
    return right;
  });
}

async function main(): Promise<void> {
  const { values, positionals } = read(process.argv.slice(2));
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  if (positionals.join() !== "new") throw new UsageError("say what to do: new");
  const name = nameOf(values.name);
  const file = values.file ?? (process.env["API_KEYS_FILE"] || "api-keys.json");
  const rights = rightsOf(values.rights);
  const key = await addNewKey(file, name, rights);
  // The key alone on standard output, for scripts that put it away.
  process.stdout.write(`${key}\n`);
  process.stderr.write(
    `sentiment-keys: the key of ${name} (${rights.join(", ")}) is shown this once; its hash is in ${file}\n`,
  );
}

try {
  await main();
} catch (error) {
  if (!(error instanceof UsageError || error instanceof StartupError)) throw error;
  const usage = error instanceof UsageError;
  process.stderr.write(`sentiment-keys: ${error.message}\n${usage ? `\n${USAGE}` : ""}`);
  process.exitCode = usage ? 2 : 1;
}
