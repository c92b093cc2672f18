import { ServerCredentials } from "@grpc/grpc-js";
import type { Clock } from "../core/clock.js";
import { type FilesReport, watchFiles } from "../core/watched-files.js";
import { type Certificate, type CertificateFiles, readCertificate } from "./certificate.js";

/** What a client may take for the handshake. By default Node waits two minutes. */
const HANDSHAKE_MS = 10_000;

/** TLS for the port, with the certificate that was read last. */
export interface Tls extends Disposable {
  readonly credentials: ServerCredentials;
  /** As it was at the start. */
  readonly certificate: Certificate;
}

/**
 * Serves the certificate of these files, and that of the files that replace them: connections made from then on see it, those that are open stay. Throws
 * StartupError for files that cannot be used at the start.
 */
export async function openTls(
  files: CertificateFiles,
  clock: Clock,
  report: FilesReport<Certificate>,
): Promise<Tls> {
  const paths = Object.values(files).filter((path) => path !== undefined);
  const watched = await watchFiles(paths, () => readCertificate(files), clock, {
    reread: (certificate) => {
      credentials.serve(certificate);
      report.reread(certificate);
    },
    broken: report.broken,
  });
  const certificate = watched.latest;
  const credentials = new ReplacedCredentials(certificate, files.clientCa !== undefined);
  return { credentials, certificate, [Symbol.dispose]: () => watched[Symbol.dispose]() };
}

/** grpc-js's own that can be replaced serve nothing at all once a file cannot be read (1.14), and would forget which versions of TLS are spoken. */
class ReplacedCredentials extends ServerCredentials {
  constructor({ context }: Certificate, isMutual: boolean) {
    super(
      { requestCert: isMutual, rejectUnauthorized: isMutual, handshakeTimeout: HANDSHAKE_MS },
      context,
    );
  }

  serve({ context }: Certificate): void {
    this.updateSecureContextOptions(context);
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}
