import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { scratchFolder } from "./scratch-folder.js";

/** Paths of PEM files. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

interface Wanted {
  /** Who signs it; undefined: itself, and it may sign others. */
  readonly by?: Pair;
  readonly days?: number;
  readonly names?: string;
}

export interface Certificates extends AsyncDisposable {
  readonly folder: string;
  /** Has OpenSSL make a certificate for this machine; `name` is its common name, and that of its files. */
  make(name: string, wanted?: Wanted): Promise<Pair>;
}

const EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
const openssl = (...args: readonly string[]) => promisify(execFile)("openssl", args);

/** Certificates in a folder of their own. */
export async function certificates(): Promise<Certificates> {
  const scratch = await scratchFolder();
  return {
    folder: scratch.path,
    async make(name, { by, days = 30, names = "DNS:localhost,IP:127.0.0.1" } = {}) {
      const [cert, key] = [join(scratch.path, `${name}.pem`), join(scratch.path, `${name}.key`)];
      const signer =
        by === undefined
          ? []
          : ["-CA", by.cert, "-CAkey", by.key, "-addext", "basicConstraints=critical,CA:FALSE"];
      const about = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=${names}`];
      const files = ["-keyout", key, "-out", cert, "-days", String(days)];
      await openssl("req", "-x509", ...EC, ...files, ...about, ...signer);
      return { cert, key };
    },
    [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose](),
  };
}

/** What the files hold, as grpc-js takes it. */
export const contentsOf = ({ cert, key }: Pair): Promise<readonly [cert: Buffer, key: Buffer]> =>
  Promise.all([readFile(cert), readFile(key)]);
