import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import { messageOf, StartupError } from "../core/errors.js";

/** Paths of PEM files. */
export interface CertificateFiles {
  /** The server's certificate, and after it those that it was signed with. */
  readonly cert: string;
  readonly key: string;
  /** Whose certificates clients must show; undefined: they need none. */
  readonly clientCa: string | undefined;
}

/** A certificate that can be served. */
export interface Certificate {
  /** For TLS, with the versions that are spoken. */
  readonly context: SecureContextOptions;
  /** The names that it is for. */
  readonly names: string;
  /** From when on clients refuse it, or one that it was signed with; milliseconds since 1970. */
  readonly validUntilMs: number;
}

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Reads the files and checks that they belong together, so that nothing is served that no client can connect to. Throws StartupError that names each
 * file that is wrong, its setting, and the mend.
 */
export async function readCertificate(files: CertificateFiles): Promise<Certificate> {
  const faults: string[] = [];
  const read = async <T>(
    setting: string,
    path: string,
    parse: (pem: Buffer) => T,
    mend: string,
  ) => {
    try {
      const pem = await readFile(path);
      return { pem, parsed: parse(pem) };
    } catch (error) {
      faults.push(`${setting} ${path} cannot be used (${messageOf(error)}): ${mend}`);
      return undefined;
    }
  };
  const [cert, key, clientCa] = await Promise.all([
    read("TLS_CERT", files.cert, certificatesIn, "name a PEM file with the server's certificate"),
    read("TLS_KEY", files.key, createPrivateKey, "name a PEM file with its key, not encrypted"),
    files.clientCa === undefined
      ? undefined
      : read("TLS_CLIENT_CA", files.clientCa, certificatesIn, "name a PEM file with the CA's"),
  ]);
  if (cert !== undefined && key !== undefined) faults.push(...pairFaults(files, cert, key));
  if (cert === undefined || key === undefined || faults.length > 0)
    throw new StartupError(`TLS cannot be served:\n  ${faults.sort().join("\n  ")}`);
  const [own] = cert.parsed;
  return {
    context: contextOf(cert.pem, key.pem, clientCa?.pem),
    names: own.subjectAltName ?? own.subject.replaceAll("\n", ", "),
    validUntilMs: Math.min(...cert.parsed.map(({ validToDate }) => validToDate.getTime())),
  };
}

/** All that OpenSSL would find out later, at the first connection. */
function pairFaults(
  files: CertificateFiles,
  cert: { readonly pem: Buffer; readonly parsed: Certificates },
  key: { readonly pem: Buffer; readonly parsed: KeyObject },
): readonly string[] {
  if (!cert.parsed[0].checkPrivateKey(key.parsed)) {
    return [
      `TLS_KEY ${files.key} is not the key of TLS_CERT ${files.cert}: name a certificate and its own key`,
    ];
  }
  try {
    createSecureContext(contextOf(cert.pem, key.pem));
    return [];
  } catch (error) {
    return [`TLS_CERT ${files.cert} cannot be served (${messageOf(error)}): make another one`];
  }
}

/** Older versions of TLS than 1.2 are broken, and HTTP/2 forbids them. */
const contextOf = (cert: Buffer, key: Buffer, clientCa?: Buffer): SecureContextOptions => ({
  cert,
  key,
  ...(clientCa !== undefined && { ca: clientCa }),
  minVersion: "TLSv1.2",
});

type Certificates = readonly [X509Certificate, ...X509Certificate[]];

function certificatesIn(pem: Buffer): Certificates {
  const [first, ...rest] = pem.toString("latin1").match(PEM) ?? [];
  if (first === undefined) throw new Error("no certificate in PEM is in it");
  return [new X509Certificate(first), ...rest.map((one) => new X509Certificate(one))];
}
