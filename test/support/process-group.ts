import { readdir, readFile } from "node:fs/promises";

/** Ids of a process group's processes, less those that have ended and only wait to be counted. */
export async function membersOf(group: number): Promise<readonly number[]> {
  const names = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const members = names.map(async (name) => {
    // It may end while this reads.
    const stat = await readFile(`/proc/${name}/stat`, "utf8").catch(() => "");
    // After the command's name, which is in parentheses and may hold anything.
    const [state, , itsGroup] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return itsGroup === String(group) && state !== "Z" ? [Number(name)] : [];
  });
  return (await Promise.all(members)).flat();
}

/** Ids of the processes that it has started itself and that have not ended. */
export async function childrenOf(pid: number): Promise<readonly number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
  return text.trim().split(/\s+/).filter(Boolean).map(Number);
}
