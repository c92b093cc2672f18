import { setLogger } from "@grpc/grpc-js";

const ABOUT_METADATA = "Failed to add metadata entry";

const write = (level: string) => (line: unknown) => {
  if (!String(line).startsWith(ABOUT_METADATA)) process.stderr.write(`${level} ${line}\n`);
};

/**
 * grpc-js writes to standard error what it cannot read of a call's metadata, values and all: a key that was pasted with a curly quote would stand there.
 * The rest of its log stays as it was.
 */
export const hushMetadata = (): void =>
  setLogger({ error: write("E"), info: write("I"), debug: write("D") });
