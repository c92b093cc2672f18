import { useId } from "preact/hooks";
import type { AnalyzeOptions, AnalyzeRequest, LongText } from "../api/messages.ts";
import { Check } from "../parts/check.tsx";
import { count } from "../parts/format.ts";
import { TierChoice } from "../parts/tier-choice.tsx";
import { codePoints } from "./code-points.ts";

const EXAMPLES = [
  "I love this product! It does all that I hoped for.",
  "Terrible quality, waste of money.",
  "The camera is superb \u{1F60D}. The battery is a bad joke, and nobody answers the phone.",
];

const LONG_TEXTS: readonly (readonly [LongText, string])[] = [
  ["LONG_TEXT_WINDOWS", "Read all of it, in windows"],
  ["LONG_TEXT_TRUNCATE", "Read its beginning only"],
  ["LONG_TEXT_REJECT", "Refuse it"],
];

interface Props {
  readonly request: AnalyzeRequest;
  readonly isBusy: boolean;
  readonly onChange: (request: AnalyzeRequest) => void;
  readonly onSubmit: () => void;
}

export function TextForm({ request, isBusy, onChange, onSubmit }: Props) {
  const submitByKey = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    onSubmit();
  };
  return (
    <form
      class="card"
      aria-label="Text to analyze"
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
    >
      <div class="field">
        <label for="text-input">Text</label>
        <textarea
          id="text-input"
          rows={6}
          value={request.text}
          aria-describedby="text-hint"
          dir="auto"
          onInput={({ currentTarget }) => onChange({ ...request, text: currentTarget.value })}
          onKeyDown={submitByKey}
        />
        <p id="text-hint" class="hint">
          {count(codePoints(request.text))} characters. English; Ctrl+Enter analyzes it. A file can
          be dropped anywhere.
        </p>
      </div>
      <Examples onPick={(text) => onChange({ ...request, text })} />
      <TierChoice tier={request.tier} onChange={(tier) => onChange({ ...request, tier })} />
      <button type="submit" class="primary" aria-disabled={isBusy}>
        {isBusy ? "Analyzing…" : "Analyze"}
      </button>
      <Options
        options={request.options}
        onChange={(options) => onChange({ ...request, options })}
      />
    </form>
  );
}

function Examples({ onPick }: { readonly onPick: (text: string) => void }) {
  return (
    <fieldset class="examples">
      <legend>Examples</legend>
      {EXAMPLES.map((text) => (
        <button key={text} type="button" class="chip" onClick={() => onPick(text)}>
          {text}
        </button>
      ))}
    </fieldset>
  );
}

interface OptionsProps {
  readonly options: AnalyzeOptions;
  readonly onChange: (options: AnalyzeOptions) => void;
}

function Options({ options, onChange }: OptionsProps) {
  const { explain = false, sentences = false, skipCache = false } = options;
  const id = useId();
  return (
    <fieldset>
      <legend>Also</legend>
      <Check checked={explain} onChange={(on) => onChange({ ...options, explain: on })}>
        weigh each word
      </Check>
      <Check checked={sentences} onChange={(on) => onChange({ ...options, sentences: on })}>
        judge each sentence
      </Check>
      <Check checked={skipCache} onChange={(on) => onChange({ ...options, skipCache: on })}>
        pass the caches by
      </Check>
      <div class="field">
        <label for={id}>A text longer than the model reads at once</label>
        <select
          id={id}
          value={options.longText ?? "LONG_TEXT_WINDOWS"}
          onChange={({ currentTarget }) =>
            onChange({ ...options, longText: currentTarget.value as LongText })
          }
        >
          {LONG_TEXTS.map(([value, name]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </select>
      </div>
    </fieldset>
  );
}
