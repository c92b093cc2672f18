import { useEffect, useState } from "preact/hooks";
import { isServing } from "./api/client.ts";

const EACH_MS = 10_000;

const STATES = {
  unknown: "asking the server",
  serving: "server ready",
  resting: "server not ready",
  gone: "bridge unreachable",
} as const;
type State = keyof typeof STATES;

const stateOf = (serving: boolean | undefined): State =>
  serving === undefined ? "gone" : serving ? "serving" : "resting";

/** Whether calls would be answered now. */
export function Health() {
  const [state, setState] = useState<State>("unknown");
  useEffect(() => {
    const stop = new AbortController();
    const look = async () => {
      if (document.visibilityState === "hidden") return;
      const serving = await isServing(stop.signal);
      if (!stop.signal.aborted) setState(stateOf(serving));
    };
    void look();
    const timer = setInterval(() => void look(), EACH_MS);
    return () => {
      clearInterval(timer);
      stop.abort();
    };
  }, []);
  return (
    <output class={`health ${state}`}>
      <svg viewBox="0 0 10 10" width="0.6em" height="0.6em" aria-hidden="true">
        <circle cx="5" cy="5" r="5" fill="currentColor" />
      </svg>
      {STATES[state]}
    </output>
  );
}
