import { useState } from "preact/hooks";
import { Problem } from "../parts/problem.tsx";
import { Gauges } from "./gauges.tsx";
import { useOwnSamples, useServerSamples } from "./use-samples.ts";

interface Props {
  /** This view is the one that is looked at. */
  readonly isShown: boolean;
  readonly onKey: () => void;
}

export function LiveView({ isShown, onKey }: Props) {
  const [isPaused, setPaused] = useState(false);
  const own = useOwnSamples(isPaused);
  const server = useServerSamples(isShown && !isPaused);
  return (
    <>
      <p class="buttons">
        <button type="button" aria-pressed={isPaused} onClick={() => setPaused(!isPaused)}>
          Pause
        </button>
        <span class="quiet">Every two seconds, the last two minutes.</span>
      </p>
      <section class="card" aria-labelledby="live-server">
        <h2 id="live-server">All that the server does</h2>
        {server.state === "failed" && <Problem error={server.error} onKey={onKey} />}
        {server.state === "not configured" && <NotConfigured />}
        {server.state === "shown" && (
          <>
            <Gauges samples={server.samples} withQueue />
            <p class="hint">
              Texts and calls of all clients, out of the server's metrics: latency of calls as the
              server sees it, within its histogram's buckets; rows of all batches; texts found in a
              cache.
            </p>
          </>
        )}
      </section>
      <section class="card" aria-labelledby="live-own">
        <h2 id="live-own">What this page asked for</h2>
        <Gauges samples={own} withQueue={false} />
        <p class="hint">
          Out of the answers that came here: latency as the page sees it, of a batch of texts as of
          a single one; the batch size is known of single texts alone. A dash: nothing came within
          two seconds.
        </p>
      </section>
    </>
  );
}

function NotConfigured() {
  return (
    <p class="empty">
      Not configured: start the bridge with SENTIMENT_METRICS_URL, as in{" "}
      <code>http://127.0.0.1:9464/metrics</code>, to see it.
    </p>
  );
}
