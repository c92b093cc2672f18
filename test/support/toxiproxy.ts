import { freePorts } from "./ports.js";
import { type SlowProxy, startSlowProxy } from "./slow-proxy.js";

/** The toxiproxy that `test/full/toxiproxy.sh` has started; undefined: there is none. */
export const toxiproxyUrl = process.env["TOXIPROXY_URL"];

/** Toxiproxy where there is one, else one in this process. */
export const startProxy = (targetPort: number): Promise<SlowProxy> =>
  toxiproxyUrl === undefined
    ? startSlowProxy(targetPort)
    : startToxiproxy(toxiproxyUrl, targetPort);

/** A proxy of the toxiproxy that answers at `url`; what it cut off goes on when it is mended. */
async function startToxiproxy(url: string, targetPort: number): Promise<SlowProxy> {
  const [port = 0] = await freePorts(1);
  const name = `redis-${port}`;
  const ask = async (method: string, path: string, body?: object) => {
    const answer = await fetch(`${url}/proxies${path}`, { method, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`toxiproxy: ${method} ${path}: ${await answer.text()}`);
  };
  const add = (toxic: string, type: string, stream: string, attributes: object) =>
    ask("POST", `/${name}/toxics`, { name: toxic, type, stream, attributes });
  await ask("POST", "", {
    name,
    listen: `127.0.0.1:${port}`,
    upstream: `127.0.0.1:${targetPort}`,
    enabled: true,
  });
  return {
    port,
    delay: async (latency) =>
      latency === 0
        ? ask("DELETE", `/${name}/toxics/slow`)
        : add("slow", "latency", "downstream", { latency }),
    async cut() {
      await add("cut-up", "timeout", "upstream", { timeout: 0 });
      await add("cut-down", "timeout", "downstream", { timeout: 0 });
    },
    async mend() {
      await ask("DELETE", `/${name}/toxics/cut-up`);
      await ask("DELETE", `/${name}/toxics/cut-down`);
    },
    [Symbol.asyncDispose]: () => ask("DELETE", `/${name}`),
  };
}
