import { readFile } from "node:fs/promises";
import { childrenOf } from "../test/support/process-group.js";

/** Linux counts CPU time in these, a second. */
const TICKS = 100;

async function secondsIn(file: string): Promise<number> {
  const stat = await readFile(file, "utf8");
  // After the command's name, in parentheses: state is field 3, user and system time are 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** CPU seconds so far, of the process and those that it has started. */
export async function cpuSeconds(pid: number): Promise<number> {
  const pids = [pid, ...(await childrenOf(pid))];
  const spent = await Promise.all(pids.map((one) => secondsIn(`/proc/${one}/stat`)));
  return spent.reduce((sum, seconds) => sum + seconds, 0);
}

/** CPU milliseconds so far, of the process's first thread alone: in a server that is the event loop. */
export async function firstThreadMs(pid: number): Promise<number> {
  const [nanoseconds] = (await readFile(`/proc/${pid}/schedstat`, "utf8")).split(" ");
  return Number(nanoseconds) / 1e6;
}
