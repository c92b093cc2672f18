import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";

/** Where an API server answers, and as whom. */
export interface Access {
  readonly url: string;
  /** PEM. */
  readonly ca: string;
  readonly token: string;
}

export interface Api {
  /** Whether it has that path, and says it is well. */
  answers(path: string): Promise<boolean>;
  get<Answer>(path: string): Promise<Answer>;
  /** The objects as they are, and each change of them. */
  watch<Kind>(path: string): Promise<Watch<Kind>>;
}

export interface Watch<Kind> extends Disposable {
  /** All states so far, in their order; throws where the server has ended the watch. */
  states(): readonly Kind[];
}

interface Event<Kind> {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "ERROR";
  readonly object: Kind;
}

export function apiOf({ url, ca, token }: Access): Api {
  const ask = async (path: string): Promise<IncomingMessage> => {
    const asked = request(`${url}${path}`, { ca, headers: { authorization: `Bearer ${token}` } });
    asked.end();
    const [response] = await once(asked, "response");
    return response;
  };
  const accepted = async (path: string) => {
    const response = await ask(path);
    if (response.statusCode !== 200) throw new Error(`${path}: ${await text(response)}`);
    return response;
  };
  return {
    async answers(path) {
      try {
        (await accepted(path)).resume();
        return true;
      } catch {
        return false;
      }
    },
    get: async (path) => JSON.parse(await text(await accepted(path))),
    watch: async <Kind>(path: string) =>
      watchOf<Kind>(await accepted(`${path}${path.includes("?") ? "&" : "?"}watch=true`)),
  };
}

function watchOf<Kind>(response: IncomingMessage): Watch<Kind> {
  const events: Event<Kind>[] = [];
  createInterface({ input: response }).on("line", (line) => events.push(JSON.parse(line)));
  response.on("error", () => {});
  return {
    states() {
      const failed = events.find(({ type }) => type === "ERROR");
      if (failed !== undefined || response.closed)
        throw new Error(`the watch has ended: ${JSON.stringify(failed?.object)}`);
      return events.map(({ object }) => object);
    },
    [Symbol.dispose]: () => response.destroy(),
  };
}
