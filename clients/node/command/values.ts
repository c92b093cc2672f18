import { parseArgs } from "node:util";
import { messageOf, UsageError } from "./faults.js";

export type Values = ReturnType<typeof readValues>["values"];

/** What was given by name, and the rest. Throws UsageError for what there is not. */
export function readValues(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        tier: { type: "string" },
        json: { type: "boolean" },
        input: { type: "string" },
        output: { type: "string" },
        format: { type: "string" },
        column: { type: "string" },
        delimiter: { type: "string" },
        prefix: { type: "string" },
        resume: { type: "boolean" },
        force: { type: "boolean" },
        address: { type: "string" },
        "key-file": { type: "string" },
        tls: { type: "boolean" },
        "tls-ca": { type: "string" },
        "tls-cert": { type: "string" },
        "tls-key": { type: "string" },
        "give-up": { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
}
