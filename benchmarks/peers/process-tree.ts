/** All at once, without waiting: this is needed while the process exits too. */
import { readdirSync, readFileSync } from "node:fs";

interface Listed {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
}

/** A process and all that descend from it, less those that have ended and only wait to be counted. */
export function treeOf(root: number): readonly Listed[] {
  const listed = allProcesses();
  const within = new Set([root]);
  for (let before = 0; before !== within.size; ) {
    before = within.size;
    for (const { pid, parent } of listed) if (within.has(parent)) within.add(pid);
  }
  return listed.filter(({ pid }) => within.has(pid));
}

/** The groups of a group's leader and of all that descend from it: some start groups of their own. */
export const groupsOf = (leader: number): ReadonlySet<number> =>
  new Set([leader, ...treeOf(leader).map(({ group }) => group)]);

export const isAnyLeft = (groups: ReadonlySet<number>): boolean =>
  allProcesses().some(({ group }) => groups.has(group));

export function signalGroups(groups: ReadonlySet<number>, signal: NodeJS.Signals): void {
  for (const group of groups) {
    try {
      process.kill(-group, signal);
    } catch (error) {
      // It has ended by itself.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}

/** Megabytes that the processes hold, by PSS: what several of them share counts once. */
export function memoryOf(root: number): number {
  const kilobytes = treeOf(root).map(({ pid }) =>
    Number(/^Pss:\s+(\d+) kB$/m.exec(textOf(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0),
  );
  return kilobytes.reduce((sum, size) => sum + size, 0) / 1024;
}

function allProcesses(): readonly Listed[] {
  const names = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return names.flatMap((name) => {
    const stat = textOf(`/proc/${name}/stat`);
    // After the command's name, which is in parentheses and may hold anything.
    const [state, parent, group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return group === undefined || state === "Z"
      ? []
      : [{ pid: Number(name), parent: Number(parent), group: Number(group) }];
  });
}

/** Nothing of a process that ends meanwhile. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
