import { useEffect, useLayoutEffect, useState } from "preact/hooks";

/** No element may have one of them as its id: the browser would go to it. */
export const VIEWS = ["text", "compare", "file", "live"] as const;
export type View = (typeof VIEWS)[number];

export const VIEW_NAMES: Record<View, string> = {
  text: "Text",
  compare: "Compare",
  file: "File",
  live: "Live",
};

const viewOf = (hash: string): View | undefined => VIEWS.find((view) => `#${view}` === hash);

/** The view that the address names; "text" where it names none. */
export function useView(): View {
  const [view, setView] = useState(viewOf(location.hash) ?? "text");
  useEffect(() => {
    const follow = () => setView((before) => viewOf(location.hash) ?? before);
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  useLayoutEffect(() => {
    document.title = `${VIEW_NAMES[view]} · Sentiment Analyzer Pro`;
  }, [view]);
  return view;
}
