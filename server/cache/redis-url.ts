import { StartupError } from "../core/errors.js";

interface RedisNode {
  readonly host: string;
  readonly port: number;
}

/** What a REDIS_URL says. */
export interface RedisTarget {
  /** `sentinel`: the nodes are Sentinels, who know the server. `cluster`: some of its nodes. */
  readonly kind: "single" | "cluster" | "sentinel";
  readonly nodes: readonly RedisNode[];
  readonly tls: boolean;
  /** Not in the log. */
  readonly credentials: { readonly username?: string; readonly password?: string };
  readonly database: number;
  /** The Sentinels' name of the server. */
  readonly masterId: string;
  /** The URL less its credentials: for the log. */
  readonly shown: string;
}

const URL_FORM =
  /^(?<scheme>rediss?)(-(?<kind>cluster|sentinel))?:\/\/((?<user>[^:@/?\s]*)(:(?<password>[^@/?\s]*))?@)?(?<hosts>[^@/?\s]+)(\/(?<database>\d{0,3}))?(\?sentinelMasterId=(?<masterId>[\w.-]+))?$/;
const HOST_FORM = /^(\[(?<address>[0-9a-f:]+)\]|(?<host>[^:[\]]+))(:(?<port>\d{1,5}))?$/i;
const REDIS_PORT = 6379;
const SENTINEL_PORT = 26_379;

/**
 * Reads REDIS_URL: `redis://[user[:password]@]host[:port][/database]`, or `rediss://` with TLS. Several hosts with commas, or
 * `redis-cluster://`, are nodes of a cluster; `redis-sentinel://host[:port],...[/database]?sentinelMasterId=name` are Sentinels.
 * In user and password other characters than letters and digits may be percent-encoded, and `@`, `:`, `/`, `?` must be.
 * Throws a StartupError, which does not repeat the URL.
 */
export function redisTarget(url: string): RedisTarget {
  const groups = URL_FORM.exec(url)?.groups;
  const { scheme = "", user, password, hosts = "", database = "", masterId = "" } = groups ?? {};
  if (groups === undefined)
    throw fault("must be redis:// or rediss://, [user:password@], host:port, [/database]");
  const kind = kindOf(groups["kind"], hosts);
  if (kind === "cluster" && Number(database) !== 0) throw fault("a cluster has no databases");
  if ((kind === "sentinel") !== (masterId !== ""))
    throw fault("Sentinels need ?sentinelMasterId=<name>, and nothing else does");
  return {
    kind,
    nodes: hosts.split(",").map((text) => nodeOf(text, kind)),
    tls: scheme === "rediss",
    credentials: {
      ...(user && { username: decoded(user) }),
      ...(password && { password: decoded(password) }),
    },
    database: Number(database),
    masterId,
    shown: url.replace(/\/\/[^/@]*@/, "//"),
  };
}

function kindOf(said: string | undefined, hosts: string): RedisTarget["kind"] {
  if (said === "sentinel" || said === "cluster") return said;
  return hosts.includes(",") ? "cluster" : "single";
}

function nodeOf(text: string, kind: RedisTarget["kind"]): RedisNode {
  const { address, host, port } = HOST_FORM.exec(text)?.groups ?? {};
  const name = address ?? host;
  if (name === undefined || Number(port) > 65_535) throw fault("a host must be name[:port]");
  return { host: name, port: Number(port ?? (kind === "sentinel" ? SENTINEL_PORT : REDIS_PORT)) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw fault("user and password must be percent-encoded");
  }
}

const fault = (what: string) => new StartupError(`REDIS_URL: ${what}`);
