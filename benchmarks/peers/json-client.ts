import { setTimeout as sleep } from "node:timers/promises";
import { connectionOwners } from "./connection-owners.js";
import { HttpConnection } from "./http-connection.js";

const LIMIT_MS = 60_000;
const APART_MS = 2;
const ACCEPTED_MS = 200;
/** So many connections are opened at a time, until each process has its part, or so often. */
const AT_A_TIME = 64;
const TIMES = 8;

/** JSON over connections that stay open and take turns; there are more when more calls are under way. */
export class JsonClient implements Disposable {
  readonly #port: number;
  readonly #all = new Set<HttpConnection>();
  #idle: HttpConnection[] = [];

  constructor(port: number) {
    this.#port = port;
  }

  /** An answer other than 200 is an error. */
  async post(path: string, content: unknown): Promise<string> {
    const connection = this.#longestIdle() ?? (await this.#open());
    const { status, body } = await connection.post(path, JSON.stringify(content));
    this.#idle.push(connection);
    if (status !== 200) throw new Error(`${path}: ${status} ${body.slice(0, 300)}`);
    return body;
  }

  /**
   * Opens so many connections, each of the server's processes with an equal part of them: the kernel deals them out by chance, 31 to 1 at
   * worst, and a process with most of the calls would be slow while the other idles.
   */
  async openEvenly(count: number, pid: number): Promise<void> {
    for (let time = 0; time < TIMES; time++) {
      await this.#openMore();
      const chosen = evenly(this.#idle, await connectionOwners(pid, this.#port), count);
      if (chosen) return this.#keepOnly(chosen);
    }
    throw new Error("one of its processes takes hardly any connections");
  }

  [Symbol.dispose](): void {
    for (const connection of this.#all) connection.close();
  }

  async #open(): Promise<HttpConnection> {
    const connection = await HttpConnection.open(this.#port, LIMIT_MS);
    this.#all.add(connection);
    return connection;
  }

  async #openMore(): Promise<void> {
    for (let one = 0; one < AT_A_TIME; one++) {
      this.#idle.push(await this.#open());
      await sleep(APART_MS);
    }
    await sleep(ACCEPTED_MS);
  }

  #keepOnly(chosen: HttpConnection[]): void {
    const kept = new Set(chosen);
    for (const connection of this.#idle) if (!kept.has(connection)) this.#close(connection);
    this.#idle = chosen;
  }

  /** A server may have closed it since. */
  #longestIdle(): HttpConnection | undefined {
    for (;;) {
      const connection = this.#idle.shift();
      if (connection === undefined || connection.isOpen) return connection;
      this.#close(connection);
    }
  }

  #close(connection: HttpConnection): void {
    connection.close();
    this.#all.delete(connection);
  }
}

/** So many, of each owner as many, owners in turn; undefined: one has too few. */
function evenly(
  connections: readonly HttpConnection[],
  owners: ReadonlyMap<number, number>,
  count: number,
): HttpConnection[] | undefined {
  const byOwner = Map.groupBy(connections, ({ localPort }) => owners.get(localPort));
  byOwner.delete(undefined);
  const each = count / byOwner.size;
  const groups = [...byOwner.values()];
  if (groups.length === 0 || groups.some((group) => group.length < each)) return undefined;
  return Array.from({ length: each }, (_, place) => place).flatMap((place) =>
    groups.flatMap((group) => group[place] ?? []),
  );
}
