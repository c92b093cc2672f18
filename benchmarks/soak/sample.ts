import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { SelfReport } from "../../test/preload/self-report.js";
import { cpuSeconds } from "../cpu-time.js";

/** The server at one moment. */
export interface Sample {
  /** Since the load began. */
  readonly minute: number;
  readonly rssMb: number;
  /** Of that what is mapped of files: code, and the models' weights, of which the system counts those pages that were read. */
  readonly filesMb: number;
  /** Objects of V8, in the event loop's thread. */
  readonly heapMb: number;
  /** Pages of V8 for them. */
  readonly pagesMb: number;
  /** Pages of V8 in all other threads. */
  readonly threadPagesMb: number;
  readonly externalMb: number;
  /** Timers, sockets and the like, as Node counts them. */
  readonly resources: number;
  readonly openFiles: number;
  readonly threads: number;
  /** How late its event loop was in the last second. */
  readonly loopP99Ms: number;
  /** So far. */
  readonly cpuSeconds: number;
}

const MB = 2 ** 20;

/** `reports`: the folder that test/preload/self-report.ts writes to. */
export async function sampleOf(pid: number, reports: string, minute: number): Promise<Sample> {
  const [status, files, told, cpu] = await Promise.all([
    readFile(`/proc/${pid}/status`, "utf8"),
    readdir(`/proc/${pid}/fd`),
    reportsIn(reports),
    cpuSeconds(pid),
  ]);
  const [{ heapUsed, heapTotal, external, resources, loopP99Ms }, ...others] = told;
  const read = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1]);
  return {
    minute,
    rssMb: read("VmRSS") / 1024,
    filesMb: (read("RssFile") + read("RssShmem")) / 1024,
    heapMb: heapUsed / MB,
    pagesMb: heapTotal / MB,
    threadPagesMb: others.reduce((sum, other) => sum + other.heapTotal, 0) / MB,
    externalMb: external / MB,
    resources,
    openFiles: files.length,
    threads: read("Threads"),
    loopP99Ms,
    cpuSeconds: cpu,
  };
}

/** Of the event loop's thread, and of those that live beside it. */
async function reportsIn(folder: string): Promise<[SelfReport, ...SelfReport[]]> {
  const read = async (name: string): Promise<SelfReport> =>
    JSON.parse(await readFile(join(folder, name), "utf8"));
  const others = (await readdir(folder)).filter((name) => /^[1-9]\d*$/.test(name));
  return [await read("0"), ...(await Promise.all(others.map(read)))];
}
