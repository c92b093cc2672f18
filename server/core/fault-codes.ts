/** gRPC codes of calls that failed by the server's fault: so the log, the traces and the alerts (deploy/prometheus) have it. */
export const FAULT_CODES: ReadonlySet<string> = new Set([
  "UNKNOWN",
  "DEADLINE_EXCEEDED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
]);
