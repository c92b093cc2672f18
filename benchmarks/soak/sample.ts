import { readdir, readFile } from "node:fs/promises";
import type { SelfReport } from "../../test/preload/self-report.js";
import { cpuSeconds } from "../cpu-time.js";

/** The server at one moment. */
export interface Sample {
  /** Since the load began. */
  readonly minute: number;
  readonly rssMb: number;
  readonly heapMb: number;
  /** Pages of V8 for them, of the event loop's thread. */
  readonly pagesMb: number;
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

/** `report`: the file that test/preload/self-report.ts writes. */
export async function sampleOf(pid: number, report: string, minute: number): Promise<Sample> {
  const [status, files, told, cpu] = await Promise.all([
    readFile(`/proc/${pid}/status`, "utf8"),
    readdir(`/proc/${pid}/fd`),
    readFile(report, "utf8"),
    cpuSeconds(pid),
  ]);
  const { heapUsed, heapTotal, external, resources, loopP99Ms }: SelfReport = JSON.parse(told);
  const read = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1]);
  return {
    minute,
    rssMb: read("VmRSS") / 1024,
    heapMb: heapUsed / MB,
    pagesMb: heapTotal / MB,
    externalMb: external / MB,
    resources,
    openFiles: files.length,
    threads: read("Threads"),
    loopP99Ms,
    cpuSeconds: cpu,
  };
}
