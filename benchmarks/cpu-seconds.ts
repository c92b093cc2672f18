import { readFile } from "node:fs/promises";
import { childrenOf } from "../test/support/process-group.js";

/** Linux counts CPU time in these, a second. */
const TICKS = 100;

/** CPU seconds so far, of the process and those that it has started. */
export async function cpuSeconds(pid: number): Promise<number> {
  const spent = [pid, ...(await childrenOf(pid))].map(async (one) => {
    const stat = await readFile(`/proc/${one}/stat`, "utf8");
    // After the command's name, in parentheses: state is field 3, user and system time are 14 and 15.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / TICKS;
  });
  return (await Promise.all(spent)).reduce((sum, seconds) => sum + seconds, 0);
}
