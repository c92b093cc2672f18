import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { analyzeBatch } from "../api/client.ts";
import type { Tier } from "../api/messages.ts";
import { Pace, sleep } from "../api/pace.ts";
import { type Ended, type Progress, runFile } from "./run.ts";
import type { RunSettings } from "./run-form.tsx";
import type { Preview } from "./table.ts";

/** How often the page is told; more would only be work. */
const TOLD_EACH_MS = 200;

interface RunRequest {
  readonly file: File;
  readonly preview: Preview;
  readonly column: number;
  readonly tier: Tier;
  readonly settings: RunSettings;
}

interface RunState {
  readonly progress: Progress | undefined;
  readonly totalBytes: number;
  readonly tookMs: number;
  /** Why calls wait; "": they do not. */
  readonly waiting: string;
  readonly ended: (Ended & { readonly isCancelled: boolean }) | undefined;
}

export interface Run extends RunState {
  readonly isBusy: boolean;
  readonly start: (request: RunRequest) => void;
  readonly cancel: () => void;
  readonly reset: () => void;
}

const IDLE: RunState = {
  progress: undefined,
  totalBytes: 0,
  tookMs: 0,
  waiting: "",
  ended: undefined,
};

export function useRun(): Run {
  const [state, setState] = useState(IDLE);
  const [isBusy, setBusy] = useState(false);
  const current = useRef(new AbortController());
  const cancel = useCallback(() => current.current.abort(), []);
  const reset = useCallback(() => {
    current.current.abort();
    current.current = new AbortController();
    setState(IDLE);
    setBusy(false);
  }, []);
  useEffect(() => cancel, [cancel]);
  useEffect(() => {
    if (!isBusy) return;
    // The browser asks before it leaves a page whose work would be lost.
    const ask = (event: Event) => event.preventDefault();
    addEventListener("beforeunload", ask);
    return () => removeEventListener("beforeunload", ask);
  }, [isBusy]);

  const start = (request: RunRequest) => {
    const own = new AbortController();
    current.current = own;
    const isCurrent = () => current.current === own;
    const tell = (changed: Partial<RunState>) => {
      if (isCurrent()) setState((before) => ({ ...before, ...changed }));
    };
    setState({ ...IDLE, totalBytes: request.file.size });
    setBusy(true);
    void run(request, tell, own.signal).finally(() => isCurrent() && setBusy(false));
  };
  return { ...state, isBusy, start, cancel, reset };
}

async function run(
  { file, preview, column, tier, settings }: RunRequest,
  tell: (changed: Partial<RunState>) => void,
  signal: AbortSignal,
): Promise<void> {
  const begunMs = performance.now();
  let toldMs = Number.NEGATIVE_INFINITY;
  const onProgress = (progress: Progress) => {
    const nowMs = performance.now();
    if (nowMs - toldMs < TOLD_EACH_MS) return;
    toldMs = nowMs;
    tell({ progress, tookMs: nowMs - begunMs });
  };
  const pace = new Pace({
    nowMs: () => performance.now(),
    sleep,
    random: Math.random,
    onWait: (ms, why) => tell({ waiting: ms === 0 ? "" : why }),
  });
  const { format, columns } = preview;
  const ended = await runFile(
    file,
    { ...settings, format, columns, column },
    (texts, own) => analyzeBatch({ texts, tier, options: {} }, own),
    pace,
    onProgress,
    signal,
  );
  tell({
    progress: ended.progress,
    tookMs: performance.now() - begunMs,
    waiting: "",
    ended: { ...ended, isCancelled: signal.aborted },
  });
}
