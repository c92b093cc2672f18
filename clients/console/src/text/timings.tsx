import { msOf } from "../api/duration.ts";
import type { Timing } from "../api/messages.ts";
import { duration } from "../parts/format.ts";

interface Props {
  readonly timing: Timing;
  /** From this page's question to its answer, in milliseconds. */
  readonly tookMs: number;
}

/** Where the time of the call went. */
export function Timings({ timing, tookMs }: Props) {
  const total = msOf(timing.total);
  const steps = [
    ["tokenize", msOf(timing.tokenize)],
    ["queue", msOf(timing.queue)],
    ["inference", msOf(timing.inference)],
  ] as const;
  const rest = Math.max(0, total - steps.reduce((sum, [, ms]) => sum + ms, 0));
  const parts = [...steps, ["rest", rest] as const];
  return (
    <section class="part" aria-labelledby="timings-title">
      <h2 id="timings-title">Where the time went</h2>
      <div class="timing-bar" aria-hidden="true">
        {parts.map(([name, ms]) => (
          <span key={name} class={name} style={{ flexGrow: ms }} />
        ))}
      </div>
      <dl class="facts timings">
        {parts.map(([name, ms]) => (
          <div key={name} class={name}>
            <dt>{name}</dt>
            <dd>{duration(ms)}</dd>
          </div>
        ))}
        <div>
          <dt>in the server</dt>
          <dd>{duration(total)}</dd>
        </div>
        <div>
          <dt>as this page saw it</dt>
          <dd>{duration(tookMs)}</dd>
        </div>
      </dl>
      <p class="hint">
        The rest: the call itself, the caches, and what words and sentences were asked for.
      </p>
    </section>
  );
}
