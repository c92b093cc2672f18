import { useEffect, useRef, useState } from "preact/hooks";
import { liveCounts } from "../api/client.ts";
import type { LiveCounts } from "../api/messages.ts";
import { ownTraffic } from "../api/traffic.ts";
import { ownSample, type Sample, serverSample } from "./sample.ts";

const EACH_MS = 2_000;
/** Two minutes. */
const KEPT = 60;

const kept = (samples: readonly Sample[], sample: Sample): readonly Sample[] =>
  [...samples, sample].slice(-KEPT);

/** Of this page's own calls, also while another view is shown. */
export function useOwnSamples(isPaused: boolean): readonly Sample[] {
  const [samples, setSamples] = useState<readonly Sample[]>([]);
  useEffect(() => {
    if (isPaused) return;
    let lookedMs = performance.now();
    // What came while it was paused belongs to no two seconds.
    ownTraffic.take();
    const timer = setInterval(() => {
      const nowMs = performance.now();
      const sample = ownSample(ownTraffic.take(), (nowMs - lookedMs) / 1000);
      lookedMs = nowMs;
      setSamples((before) => kept(before, sample));
    }, EACH_MS);
    return () => clearInterval(timer);
  }, [isPaused]);
  return samples;
}

type ServerState = "unknown" | "not configured" | "shown" | "failed";

interface ServerSamples {
  readonly state: ServerState;
  readonly error: unknown;
  readonly samples: readonly Sample[];
}

const UNKNOWN: ServerSamples = { state: "unknown", error: undefined, samples: [] };

/** Of all that the server does, asked for only while somebody looks. */
export function useServerSamples(isWatched: boolean): ServerSamples {
  const [samples, setSamples] = useState(UNKNOWN);
  const before = useRef<LiveCounts | undefined>(undefined);
  useEffect(() => {
    if (!isWatched) return;
    const stop = new AbortController();
    const look = async () => {
      if (document.visibilityState === "hidden") return;
      try {
        const counts = await liveCounts(stop.signal);
        const earlier = before.current;
        before.current = counts;
        setSamples((known) => withLook(known, earlier, counts));
      } catch (error) {
        if (!stop.signal.aborted) setSamples((known) => ({ ...known, state: "failed", error }));
      }
    };
    void look();
    const timer = setInterval(() => void look(), EACH_MS);
    return () => {
      clearInterval(timer);
      stop.abort();
      // So that a pause does not become one long sample.
      before.current = undefined;
    };
  }, [isWatched]);
  return samples;
}

function withLook(
  { samples }: ServerSamples,
  before: LiveCounts | undefined,
  now: LiveCounts | undefined,
): ServerSamples {
  if (now === undefined) return { state: "not configured", error: undefined, samples: [] };
  const sample = before && serverSample(before, now);
  const all = sample === undefined ? samples : kept(samples, sample);
  return { state: "shown", error: undefined, samples: all };
}
