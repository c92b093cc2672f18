import { readdir, readFile, readlink } from "node:fs/promises";
import { treeOf } from "./process-tree.js";

/** Which process of a server has accepted each connection to its port, by the client's port. Those that none has accepted yet are not there. */
export async function connectionOwners(
  root: number,
  port: number,
): Promise<ReadonlyMap<number, number>> {
  const clients = await clientPorts(port);
  const owners = new Map<number, number>();
  for (const { pid } of treeOf(root)) {
    for (const inode of await socketsOf(pid)) {
      const client = clients.get(inode);
      if (client !== undefined) owners.set(client, pid);
    }
  }
  return owners;
}

/** Of the connections to a port of this machine, by the inode of the server's end. */
async function clientPorts(port: number): Promise<ReadonlyMap<string, number>> {
  const ports = new Map<string, number>();
  for (const line of (await readFile("/proc/net/tcp", "utf8")).split("\n").slice(1)) {
    const [, local = "", remote = "", , , , , , , inode = ""] = line.trim().split(/\s+/);
    if (portOf(local) === port) ports.set(inode, portOf(remote));
  }
  return ports;
}

const portOf = (address: string) => Number.parseInt(address.split(":")[1] ?? "", 16);

async function socketsOf(pid: number): Promise<readonly string[]> {
  const folder = `/proc/${pid}/fd`;
  // The process, or a file of its, may be gone meanwhile.
  const names = await readdir(folder).catch(() => []);
  const targets = names.map((name) => readlink(`${folder}/${name}`).catch(() => ""));
  return (await Promise.all(targets)).flatMap(
    (target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? [],
  );
}
