import { type Config, isOpen } from "./config.js";
import type { Clock } from "./core/clock.js";
import type { Log } from "./observe/log.js";
import type { TransportMetrics } from "./observe/transport-metrics.js";
import type { Certificate } from "./rpc/certificate.js";
import type { TransportEvents } from "./rpc/events.js";
import { openTls, type Tls } from "./rpc/tls.js";

const DAY_MS = 24 * 3600 * 1000;
/** Time to get another certificate. */
const EXPIRES_SOON_MS = 14 * DAY_MS;
/** From one line about refused connections to the next: a flood must not fill the log. */
const REFUSED_EVERY_MS = 10_000;

const isLoopback = (address: string): boolean =>
  address === "localhost" || address === "::1" || address.startsWith("127.");

/** Warns of what strangers may do who reach the port. */
export function warnOfStrangers(config: Config, log: Log): void {
  const { bindAddress: address, tls } = config;
  if (isLoopback(address)) return;
  if (isOpen(config))
    log.warn(
      { address },
      "anybody who reaches this address may use the server: set API_KEYS_FILE or JWT_JWKS",
    );
  if (tls === undefined)
    log.warn(
      { address },
      "keys and texts travel readable to this address: set TLS_CERT and TLS_KEY, or serve behind a proxy that has TLS",
    );
}

/** TLS as it is set; undefined: plaintext. Throws StartupError for files that cannot be used. */
export async function openTransport(
  { tls }: Config,
  clock: Clock,
  log: Log,
  metrics: TransportMetrics,
  nowMs: () => number = Date.now,
): Promise<Tls | undefined> {
  if (tls === undefined) return undefined;
  const served = (certificate: Certificate, message: string) => {
    metrics.certificateUntil(certificate.validUntilMs);
    logCertificate(certificate, message, log, nowMs());
  };
  const opened = await openTls(tls, clock, {
    reread: (certificate) => served(certificate, "the certificate was read again"),
    broken: (error) =>
      log.error({ err: error }, "TLS files have changed and cannot be used: the old ones stay"),
  });
  served(opened.certificate, "the certificate that is served");
  return opened;
}

function logCertificate(
  { names, validUntilMs }: Certificate,
  message: string,
  log: Log,
  nowMs: number,
): void {
  const about = { names, validUntil: new Date(validUntilMs).toISOString() };
  log.info(about, message);
  const leftMs = validUntilMs - nowMs;
  if (leftMs <= 0) log.warn(about, "the certificate has expired: clients refuse it; replace it");
  else if (leftMs < EXPIRES_SOON_MS)
    log.warn(about, `the certificate expires in ${Math.ceil(leftMs / DAY_MS)} days: replace it`);
}

/** Counts, and tells the log of refused connections now and then. */
export function transportEvents(
  { maxConnections }: Config,
  clock: Clock,
  log: Log,
  metrics: TransportMetrics,
): TransportEvents {
  let refused = 0;
  let nextMs = Number.NEGATIVE_INFINITY;
  return {
    ...metrics,
    refused() {
      metrics.refused();
      refused++;
      if (clock.now() < nextMs) return;
      nextMs = clock.now() + REFUSED_EVERY_MS;
      log.warn({ refused, maxConnections }, "connections refused: MAX_CONNECTIONS are open");
      refused = 0;
    },
  };
}
