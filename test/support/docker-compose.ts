import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { parse } from "yaml";

const FOLDER = "deploy/docker";
const STACK = "deploy/swarm/stack.yaml";

interface Resources {
  readonly cpus?: number | string;
  readonly memory?: string;
  readonly devices?: readonly {
    readonly driver: string;
    readonly capabilities: readonly string[];
  }[];
}

/** Of a service, what is checked, as Docker has understood it. */
export interface Service {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly restart?: string;
  readonly stop_grace_period?: string;
  readonly logging?: { readonly options?: Readonly<Record<string, string>> };
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly ports?: readonly { readonly host_ip?: string; readonly target: number }[];
  readonly volumes?: readonly {
    readonly type: string;
    readonly source: string;
    readonly target: string;
    readonly read_only?: boolean;
  }[];
  readonly networks: Readonly<Record<string, { readonly aliases?: readonly string[] } | null>>;
  readonly deploy?: {
    readonly replicas?: number;
    readonly resources?: { readonly limits?: Resources; readonly reservations?: Resources };
    readonly update_config?: Readonly<Record<string, unknown>>;
    readonly restart_policy?: Readonly<Record<string, unknown>>;
  };
}

export interface Project {
  readonly services: Readonly<Record<string, Service>>;
}

/** What these files of deploy/docker come to, by the Docker Compose of test/full/compose.sh. Rejects where it warns of anything: of a variable that is not set, say. */
export async function composed(
  names: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Promise<Project> {
  const binary = process.env["DOCKER_COMPOSE"];
  if (binary === undefined)
    throw new Error("DOCKER_COMPOSE is not set: run it by test/full/compose.sh");
  const files = names.flatMap((name) => ["--file", `${FOLDER}/${name}.yaml`]);
  return JSON.parse(await quietly(binary, [...files, "config", "--format", "json"], variables));
}

/** The stack for a swarm, by `docker stack`. */
export const stack = async (): Promise<Project> =>
  parse(await quietly("docker", ["stack", "config", "--compose-file", STACK]));

async function quietly(
  command: string,
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Promise<string> {
  const env = { PATH: process.env["PATH"], HOME: process.env["HOME"], ...variables };
  const { stdout, stderr } = await promisify(execFile)(command, args, { env });
  if (stderr !== "") throw new Error(stderr);
  return stdout;
}
