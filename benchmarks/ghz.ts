import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const GHZ = join(process.env["CACHE"] ?? "", "bin", "ghz-v0.121.0");

export interface GhzTexts extends AsyncDisposable {
  /** Analyze over these texts, 50 calls at once for 5 seconds, asked from those CPUs; throws when a call failed. */
  load(address: string, cpus: string, connections?: number): Promise<Loaded>;
}

interface Loaded {
  readonly calls: number;
  readonly perSecond: number;
}

export async function ghzTexts(texts: readonly string[]): Promise<GhzTexts> {
  const folder = await mkdtemp(join(tmpdir(), "sentiment-ghz-"));
  const data = join(folder, "data.json");
  await writeFile(data, JSON.stringify(texts.map((text) => ({ text }))));
  return {
    async load(address, cpus, connections = 1) {
      const args = ["--config", "benchmarks/ghz/unary.json", "--data-file", data];
      const more = ["--connections", String(connections), address];
      const { stdout } = await promisify(execFile)("taskset", ["-c", cpus, GHZ, ...args, ...more], {
        maxBuffer: 2 ** 30,
      });
      const { count, rps, statusCodeDistribution: codes } = JSON.parse(stdout);
      if (codes.OK !== count) throw new Error(JSON.stringify(codes));
      return { calls: count, perSecond: rps };
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}
