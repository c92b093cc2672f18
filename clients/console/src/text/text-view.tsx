import { useEffect, useRef, useState } from "preact/hooks";
import { analyze } from "../api/client.ts";
import type { AnalyzeRequest } from "../api/messages.ts";
import { LABEL_NAMES, percent, score } from "../parts/format.ts";
import { Problem } from "../parts/problem.tsx";
import { useAsking } from "../parts/use-asking.ts";
import { type Answered, Result } from "./result.tsx";
import { TextForm } from "./text-form.tsx";

const EMPTY: AnalyzeRequest = {
  text: "",
  tier: "TIER_UNSPECIFIED",
  options: { explain: true, sentences: true },
};

async function answerTo(request: AnalyzeRequest, signal: AbortSignal): Promise<Answered> {
  const begunMs = performance.now();
  const response = await analyze(request, signal);
  return { request, response, tookMs: performance.now() - begunMs };
}

export function TextView({ onKey }: { readonly onKey: () => void }) {
  const [request, setRequest] = useState(EMPTY);
  const { answer, error, isBusy, ask } = useAsking<Answered>();
  const result = useRef<HTMLElement>(null);
  useEffect(() => {
    // On a phone it is below the form.
    const { top = 0 } = result.current?.getBoundingClientRect() ?? {};
    if ((answer ?? error) !== undefined && top > innerHeight / 2) result.current?.scrollIntoView();
  }, [answer, error]);
  const submit = () => {
    if (!isBusy) void ask((signal) => answerTo(request, signal));
  };
  return (
    <div class="columns">
      <TextForm request={request} isBusy={isBusy} onChange={setRequest} onSubmit={submit} />
      {/* Beside the section: what is busy is not read aloud. */}
      <output class="unseen">{spoken(answer, isBusy)}</output>
      <section ref={result} class="card result" aria-label="Result" aria-busy={isBusy}>
        {error !== undefined && <Problem error={error} onKey={onKey} />}
        {answer === undefined && error === undefined && (
          <p class="empty">The verdict comes here, with what each word and sentence adds to it.</p>
        )}
        {answer !== undefined && error === undefined && <Result {...answer} />}
      </section>
    </div>
  );
}

/** What a screen reader says of an answer; the rest can be read in the page. */
function spoken(answer: Answered | undefined, isBusy: boolean): string {
  if (isBusy) return "Analyzing";
  if (answer === undefined) return "";
  const { label, confidence, score: value } = answer.response.sentiment;
  return `${LABEL_NAMES[label]}, ${percent(confidence)} sure, score ${score(value)}`;
}
