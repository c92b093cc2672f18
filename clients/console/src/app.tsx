import type { VNode } from "preact";
import { useCallback, useRef, useState } from "preact/hooks";
import { CompareView } from "./compare/compare-view.tsx";
import { FileView } from "./file/file-view.tsx";
import { Header } from "./header.tsx";
import { KeyDialog } from "./key-dialog.tsx";
import { LiveView } from "./live/live-view.tsx";
import { useView, VIEW_NAMES, VIEWS, type View } from "./route.ts";
import { TextView } from "./text/text-view.tsx";
import { useDrop } from "./use-drop.ts";

/** All views stay, so that what was typed, and a file that runs, outlive a look at another one. */
export function App() {
  const view = useView();
  const [isKeyAsked, setKeyAsked] = useState(false);
  const [file, setFile] = useState<File>();
  const isRunning = useRef(false);
  const onKey = useCallback(() => setKeyAsked(true), []);
  const onBusy = useCallback((isBusy: boolean) => {
    isRunning.current = isBusy;
  }, []);
  const onFile = useCallback((dropped: File) => {
    location.hash = "file";
    if (!isRunning.current) setFile(dropped);
  }, []);
  const isOver = useDrop(onFile);
  const body: Record<View, VNode> = {
    text: <TextView onKey={onKey} />,
    compare: <CompareView onKey={onKey} />,
    file: <FileView file={file} onFile={onFile} onBusy={onBusy} onKey={onKey} />,
    live: <LiveView isShown={view === "live"} onKey={onKey} />,
  };
  return (
    <>
      <Header view={view} onKey={onKey} />
      <main id="main" tabIndex={-1}>
        {VIEWS.map((one) => (
          <div key={one} hidden={one !== view}>
            <h1>{VIEW_NAMES[one]}</h1>
            {body[one]}
          </div>
        ))}
      </main>
      <KeyDialog isOpen={isKeyAsked} onClose={() => setKeyAsked(false)} />
      {isOver && (
        <div class="drop" aria-hidden="true">
          Drop the file to run it
        </div>
      )}
    </>
  );
}
