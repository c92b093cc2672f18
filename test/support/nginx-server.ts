import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startInBackground } from "./background-process.js";
import { freePorts, listens } from "./ports.js";
import { scratchFolder } from "./scratch-folder.js";

const START = "test/support/nginx/start.sh";
/** What users are told to include. */
const RECOMMENDED = "deploy/nginx/sentiment.conf";
const READY_MS = 10_000;

export interface NginxServer extends AsyncDisposable {
  /** `address:port` of gRPC, without TLS. */
  readonly address: string;
}

/** A real nginx with the recommended settings in front of those two servers (`address:port`). Disposing kills it. */
export async function startNginx(fronts: readonly [string, string]): Promise<NginxServer> {
  await using left = new AsyncDisposableStack();
  const folder = left.use(await scratchFolder());
  const [port = 0] = await freePorts(1);
  const address = `127.0.0.1:${port}`;
  const recommended = (await readFile(RECOMMENDED, "utf8"))
    .replace("127.0.0.1:50051", fronts[0])
    .replace("127.0.0.1:50052", fronts[1])
    .replace("127.0.0.1:8082", address);
  const file = join(folder.path, "nginx.conf");
  await writeFile(file, around(recommended));
  const nginx = startInBackground(START, ["-p", folder.path, "-c", file, "-e", "stderr"]);
  left.defer(nginx.kill);
  await nginx.until(() => listens(port), READY_MS);
  const owned = left.move();
  return { address, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** One process, which goes when it is killed; all that it writes is in its own folder. */
const around = (included: string) => `
daemon off;
master_process off;
${process.getuid?.() === 0 ? "user root root;" : ""}
pid nginx.pid;
error_log stderr warn;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  ${included}
}
`;
