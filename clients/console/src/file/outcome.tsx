import { useEffect, useId, useMemo } from "preact/hooks";
import { LABELS } from "../api/messages.ts";
import { bytes, count, LABEL_NAMES, longDuration, percent, rate } from "../parts/format.ts";
import { Problem } from "../parts/problem.tsx";
import type { Ended, Progress } from "./run.ts";
import type { Run } from "./use-run.ts";

interface Props {
  readonly run: Run;
  readonly file: File | undefined;
  readonly onKey: () => void;
}

/** How far a run is, and what it leaves. */
export function Outcome({ run, file, onKey }: Props) {
  const { progress, ended, isBusy } = run;
  if (!isBusy && ended === undefined) return <output class="unseen" />;
  return (
    <section class="card" aria-label="Progress">
      <Bar run={run} />
      <output class="unseen">{spoken(run)}</output>
      {progress !== undefined && <Shares progress={progress} />}
      {run.waiting !== "" && <p class="note">Waiting: {run.waiting}</p>}
      {ended?.isCancelled && <p class="note">Cancelled. What was answered until then is kept.</p>}
      {ended?.error !== undefined && !ended.isCancelled && (
        <Problem error={ended.error} onKey={onKey} />
      )}
      {ended !== undefined && <Download ended={ended} name={file?.name ?? "texts.csv"} />}
    </section>
  );
}

function Bar({ run: { progress, totalBytes, tookMs, isBusy, ended } }: { readonly run: Run }) {
  const id = useId();
  const isWhole = ended !== undefined && ended.error === undefined;
  const share = isWhole ? 1 : (progress?.doneBytes ?? 0) / Math.max(1, totalBytes);
  const rows = progress?.rows ?? 0;
  const perSecond = tookMs > 0 ? (rows / tookMs) * 1000 : 0;
  const leftMs = share > 0 ? (tookMs * (1 - share)) / share : 0;
  return (
    <>
      <p id={id} class="progress-line">
        <b>{isWhole ? "Done" : percent(share)}</b>
        <span>
          {count(rows)} rows{rows > 0 && `, ${rate(perSecond)} a second`}
          {isBusy && leftMs > 1000 && `, ${longDuration(leftMs)} left`}
        </span>
      </p>
      {!isWhole && <progress aria-labelledby={id} max={1} value={share} />}
    </>
  );
}

/** Each tenth, so that those who listen are not told without end. */
function spoken({ progress, totalBytes, ended }: Run): string {
  if (ended?.isCancelled) return "Cancelled";
  if (ended !== undefined) return `Done: ${count(ended.progress.rows)} rows`;
  const tenths = Math.floor(((progress?.doneBytes ?? 0) / Math.max(1, totalBytes)) * 10);
  return tenths > 0 && tenths < 10 ? `${tenths * 10} percent` : "";
}

function Shares({ progress: { labels, failed } }: { readonly progress: Progress }) {
  const total = LABELS.reduce((sum, label) => sum + labels[label], 0);
  return (
    <>
      <div class="share-bar" aria-hidden="true">
        {LABELS.map((label) => (
          <span key={label} class={LABEL_NAMES[label]} style={{ flexGrow: labels[label] }} />
        ))}
      </div>
      <dl class="facts shares">
        {LABELS.map((label) => (
          <div key={label} class={LABEL_NAMES[label]}>
            <dt>{LABEL_NAMES[label]}</dt>
            <dd>
              {count(labels[label])}
              {total > 0 && <span class="quiet"> {percent(labels[label] / total)}</span>}
            </dd>
          </div>
        ))}
        <div>
          <dt>without an answer</dt>
          <dd>{count(failed)}</dd>
        </div>
      </dl>
    </>
  );
}

function Download({ ended, name }: { readonly ended: Ended; readonly name: string }) {
  const url = useMemo(() => URL.createObjectURL(ended.result), [ended.result]);
  useEffect(() => () => URL.revokeObjectURL(url), [url]);
  return (
    <p class="buttons">
      <a
        class="button primary"
        href={url}
        download={`${name.replace(/\.[^.]*$/, "")}.sentiment.csv`}
      >
        Download the result
      </a>
      <span class="quiet">
        {count(ended.progress.rows)} rows, {bytes(ended.result.size)}
      </span>
    </p>
  );
}
