import { useEffect, useState } from "preact/hooks";

const hasFile = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") ?? false;

/** Takes a file that is dropped anywhere on the page; true while one hovers over it. */
export function useDrop(onFile: (file: File) => void): boolean {
  const [isOver, setOver] = useState(false);
  useEffect(() => {
    const stop = new AbortController();
    const on = (name: "dragover" | "dragleave" | "drop", does: (event: DragEvent) => void) =>
      document.addEventListener(
        name,
        (event) => {
          if (!hasFile(event)) return;
          // Otherwise the browser would open the file in place of the page.
          event.preventDefault();
          does(event);
        },
        { signal: stop.signal },
      );
    on("dragover", () => setOver(true));
    // Left for another window, not for another element.
    on("dragleave", ({ relatedTarget }) => relatedTarget === null && setOver(false));
    on("drop", ({ dataTransfer }) => {
      setOver(false);
      const file = dataTransfer?.files[0];
      if (file !== undefined) onFile(file);
    });
    return () => stop.abort();
  }, [onFile]);
  return isOver;
}
