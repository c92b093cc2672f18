import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { type BackgroundProcess, startInBackground } from "./background-process.js";
import { certificates, type Pair } from "./certificates.js";
import { freePorts, listens } from "./ports.js";
import { type ScratchFolder, scratchFolder } from "./scratch-folder.js";

const START = "test/support/nginx/start.sh";
/** What users are told to put into /etc/nginx. */
const RECOMMENDED = "deploy/nginx";
const READY_MS = 10_000;
/** Beside the files, so that they stay as they are: in the foreground, and all that it writes in its own folder. */
const HERE = `daemon off; pid nginx.pid; ${process.getuid?.() === 0 ? "user root root;" : ""}`;
const TEMPORARY = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
  .map((what) => `${what}_temp_path ${what};\n`)
  .join("");

/** What it has behind it, each an `address:port`; none: those that the files have. */
export interface Behind {
  readonly fronts?: readonly string[];
  readonly bridges?: readonly string[];
  /** Port of gRPC without TLS, for bridges that ask by nginx; a free one unless it is said. */
  readonly plainPort?: number;
  /** More for http { }, as limits. */
  readonly more?: string;
}

export interface NginxServer extends AsyncDisposable {
  /** `address:port` of gRPC without TLS. */
  readonly address: string;
  /** The same of everything by TLS, with the certificate that it shows, which has signed itself. */
  readonly secureAddress: string;
  readonly certificate: Pair;
  /** The same of HTTP, which leads to TLS. */
  readonly httpAddress: string;
  readonly process: BackgroundProcess;
}

/** A real nginx with the recommended files; in them only addresses and ports are others. */
export async function startNginx(behind: Behind): Promise<NginxServer> {
  await using left = new AsyncDisposableStack();
  const folder = left.use(await scratchFolder());
  const [http = 0, secure = 0, free = 0] = await freePorts(3);
  const plain = behind.plainPort ?? free;
  const certificate = await filesIn(folder, behind.more, {
    "upstreams.conf": (text) =>
      withServers(
        withServers(text, "sentiment_grpc(?:_again)?", behind.fronts),
        "sentiment_rest",
        behind.bridges,
      ),
    "sentiment.conf": (text) =>
      replaced(text, {
        "listen 80;": `listen 127.0.0.1:${http};`,
        "listen 443 ": `listen 127.0.0.1:${secure} `,
        "listen 127.0.0.1:8082 ": `listen 127.0.0.1:${plain} `,
      }),
  });
  // The first process has to end the others.
  const nginx = startInBackground(START, argumentsFor(folder), process.env, "SIGTERM");
  left.defer(nginx.kill);
  await nginx.until(() => listens(plain), READY_MS);
  const owned = left.move();
  return {
    address: `127.0.0.1:${plain}`,
    secureAddress: `127.0.0.1:${secure}`,
    certificate,
    httpAddress: `127.0.0.1:${http}`,
    process: nginx,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** What nginx says of the files as they are; throws where it would not start with them. */
export async function checkRecommended(): Promise<string> {
  await using folder = await scratchFolder();
  await filesIn(folder);
  const { stderr } = await promisify(execFile)(START, ["-t", ...argumentsFor(folder)]);
  return stderr;
}

const argumentsFor = ({ path }: ScratchFolder) =>
  // With a slash at the end, as newer ones want it.
  ["-p", `${path}/`, "-c", join(path, "nginx.conf"), "-e", "stderr", "-g", HERE];

type Edits = Readonly<Record<string, (text: string) => string>>;

/** The files, and beside them the certificate that they name. */
async function filesIn({ path }: ScratchFolder, more = "", edits: Edits = {}): Promise<Pair> {
  for (const name of ["nginx.conf", "upstreams.conf", "sentiment.conf"]) {
    const text = await readFile(join(RECOMMENDED, name), "utf8");
    const first = name === "upstreams.conf" ? `${TEMPORARY}${more}\n` : "";
    await writeFile(join(path, name), first + (edits[name]?.(text) ?? text));
  }
  await using made = await certificates();
  const pair = await made.make("server");
  const own = { cert: join(path, "tls/server.pem"), key: join(path, "tls/server.key") };
  await mkdir(join(path, "tls"));
  await copyFile(pair.cert, own.cert);
  await copyFile(pair.key, own.key);
  return own;
}

/** Each of them as the first one of those upstreams, but for its address. */
function withServers(text: string, upstreams: string, addresses: readonly string[] = []): string {
  if (addresses.length === 0) return text;
  const blocks = new RegExp(`(upstream ${upstreams} {[^}]*?)((?: +server [^\n]*\n)+)`, "g");
  assert.match(text, blocks);
  return text.replace(blocks, (_, before: string, servers: string) => {
    const [first = ""] = servers.split("\n");
    const line = (one: string) => `${first.replace(/server [^ ;]+/, `server ${one}`)}\n`;
    return before + addresses.map(line).join("");
  });
}

function replaced(text: string, changes: Readonly<Record<string, string>>): string {
  return Object.entries(changes).reduce((changed, [from, to]) => {
    assert.equal(changed.split(from).length, 2, `"${from}" once`);
    return changed.replace(from, to);
  }, text);
}
