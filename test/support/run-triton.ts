/** `make run-triton`: Triton and the server in front of it, which end together. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { messageOf } from "../../server/core/errors.js";
import { startTriton } from "./triton-server.js";

const port = (name: string, standard: number) => Number(process.env[name] || standard);

async function main(): Promise<number> {
  // Until the server is there, a signal ends this process, and with it Triton.
  let stop: () => void = () => process.exit(1);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stop());

  await using triton = await startTriton({
    repository: process.env["MODEL_REPOSITORY"] || "triton-model-repo",
    ports: {
      http: port("TRITON_HTTP_PORT", 8000),
      grpc: port("TRITON_GRPC_PORT", 8001),
      metrics: port("TRITON_METRICS_PORT", 8002),
    },
    // Standard output is the server's.
    onOutput: (text) => process.stderr.write(text),
  });
  // A group of its own: Ctrl-C reaches it through here alone, once, and so it drains. It ends with this process too.
  const server = spawn(
    "setpriv",
    ["--pdeathsig", "TERM", process.execPath, "dist/server/main.js"],
    {
      detached: true,
      stdio: "inherit",
      env: {
        ...process.env,
        BACKEND: process.env["BACKEND"] || "triton",
        TRITON_URL: triton.url,
      },
    },
  );
  stop = () => server.kill("SIGTERM");
  const ended = once(server, "exit").then(([code]) => Number(code ?? 1));
  const first = await Promise.race([ended, triton.ended]);
  if (typeof first === "number") return first;
  process.stderr.write(`Triton has ended (${first}): the server is ended with it\n`);
  stop();
  await ended;
  return 1;
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`run-triton: ${messageOf(error)}\n`);
  return 1;
});
