import { execFile } from "node:child_process";

interface Output {
  readonly stdout: string;
  /** Warnings of the API server among it. */
  readonly stderr: string;
}

/** What the program says when it ends well; rejects with what it says when it does not. */
export type Command = (args: readonly string[], stdin?: string) => Promise<Output>;

const MOST_OUTPUT_BYTES = 64 * 2 ** 20;

export const commandOf =
  (program: string, env: NodeJS.ProcessEnv): Command =>
  (args, stdin = "") =>
    new Promise((resolve, reject) => {
      const options = { env, maxBuffer: MOST_OUTPUT_BYTES };
      const child = execFile(program, args, options, (error, stdout, stderr) =>
        // Without the command line, which Node would tell too: what is looked for may be a part of it.
        error === null ? resolve({ stdout, stderr }) : reject(new Error(stderr || error.message)),
      );
      // It may end, and say why, without having read all of it.
      child.stdin?.on("error", () => {});
      child.stdin?.end(stdin);
    });
