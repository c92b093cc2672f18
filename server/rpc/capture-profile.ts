import type { CallContext } from "nice-grpc-common";
import { ServiceError } from "../core/errors.js";
import {
  type CaptureProfileRequest,
  type CaptureProfileResponse,
  ProfileKind as KindMessage,
} from "../gen/sentiment/v1/sentiment.js";

/** `cpu`: where the thread's time goes; `heap`: what is in memory now; `allocation`: what allocates. */
type ProfileKind = "cpu" | "heap" | "allocation";

/** Records what the process does. */
export interface Profiler {
  /**
   * Records for `ms` milliseconds, a heap at once, into a file. Rejects with OVERLOADED while another one is recorded, with PROFILE_UNWRITABLE,
   * and with the signal's reason; no file is left then.
   */
  capture(
    kind: ProfileKind,
    ms: number,
    signal: AbortSignal,
  ): Promise<{ readonly path: string; readonly bytes: number }>;
}

const DEFAULT_MS = 10_000;
const LEAST_MS = 1000;
const MOST_MS = 60_000;

/** AdminService.CaptureProfile. */
export const captureProfile =
  (profiler: Profiler) =>
  async (
    request: CaptureProfileRequest,
    { signal }: Pick<CallContext, "signal">,
  ): Promise<CaptureProfileResponse> => {
    const kind = kindOf(request.kind);
    const { path, bytes } = await profiler.capture(kind, msOf(kind, request), signal);
    return { path, sizeBytes: bytes };
  };

function kindOf(kind: KindMessage): ProfileKind {
  switch (kind) {
    case KindMessage.PROFILE_KIND_UNSPECIFIED:
    case KindMessage.PROFILE_KIND_CPU:
      return "cpu";
    case KindMessage.PROFILE_KIND_HEAP:
      return "heap";
    case KindMessage.PROFILE_KIND_ALLOCATION:
      return "allocation";
    default:
      throw new ServiceError("OPTION_UNKNOWN", "kind: name CPU, HEAP or ALLOCATION.", {
        field: "kind",
      });
  }
}

function msOf(kind: ProfileKind, { duration }: CaptureProfileRequest): number {
  if (kind === "heap") return 0;
  if (duration === undefined) return DEFAULT_MS;
  const ms = duration.seconds * 1000 + duration.nanos / 1e6;
  if (ms >= LEAST_MS && ms <= MOST_MS) return ms;
  throw new ServiceError("OPTION_UNKNOWN", "duration: must be 1 to 60 seconds.", {
    field: "duration",
  });
}
