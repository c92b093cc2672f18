import { useEffect, useState } from "preact/hooks";
import type { Tier } from "../api/messages.ts";
import { Problem } from "../parts/problem.tsx";
import { FilePick } from "./file-pick.tsx";
import { Outcome } from "./outcome.tsx";
import { PreviewTable } from "./preview-table.tsx";
import { RunForm, type RunSettings } from "./run-form.tsx";
import { type Preview, previewOf } from "./table.ts";
import { useRun } from "./use-run.ts";

interface Props {
  /** Picked or dropped, here or on another view. */
  readonly file: File | undefined;
  readonly onFile: (file: File) => void;
  /** While a file runs no other should take its place. */
  readonly onBusy: (isBusy: boolean) => void;
  readonly onKey: () => void;
}

interface Chosen {
  readonly file: File;
  readonly preview: Preview;
  readonly column: number;
}

const SETTINGS: RunSettings = { batchSize: 32, concurrency: 4, protect: true };

export function FileView({ file, onFile, onBusy, onKey }: Props) {
  const [chosen, setChosen] = useState<Chosen>();
  const [unread, setUnread] = useState<unknown>();
  const [tier, setTier] = useState<Tier>("TIER_UNSPECIFIED");
  const [settings, setSettings] = useState(SETTINGS);
  const run = useRun();
  const { reset, isBusy } = run;
  useEffect(() => onBusy(isBusy), [onBusy, isBusy]);
  useEffect(() => {
    if (file === undefined) return;
    setUnread(undefined);
    setChosen(undefined);
    reset();
    let isCurrent = true;
    previewOf(file).then(
      (preview) => isCurrent && setChosen({ file, preview, column: preview.textColumn }),
      (error) => isCurrent && setUnread(error),
    );
    return () => {
      isCurrent = false;
    };
  }, [file, reset]);
  return (
    <>
      <FilePick file={file} isBusy={isBusy} onFile={onFile} />
      {unread !== undefined && <Problem error={unread} onKey={onKey} />}
      {chosen !== undefined && (
        <>
          <PreviewTable
            {...chosen}
            isBusy={isBusy}
            onPreview={(preview) => setChosen({ ...chosen, preview, column: preview.textColumn })}
            onColumn={(column) => setChosen({ ...chosen, column })}
          />
          <RunForm
            tier={tier}
            settings={settings}
            isBusy={isBusy}
            onTier={setTier}
            onSettings={setSettings}
            onStart={() => run.start({ ...chosen, tier, settings })}
            onCancel={run.cancel}
          />
        </>
      )}
      <Outcome run={run} file={chosen?.file} onKey={onKey} />
    </>
  );
}
