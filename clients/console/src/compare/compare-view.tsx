import { useState } from "preact/hooks";
import { LABEL_NAMES, TIER_NAMES } from "../parts/format.ts";
import { useAsking } from "../parts/use-asking.ts";
import { type Comparison, compare, labelsOf } from "./compare.ts";
import { TierCard } from "./tier-card.tsx";

export function CompareView({ onKey }: { readonly onKey: () => void }) {
  const [text, setText] = useState("");
  const [comparison, setComparison] = useState<Comparison>();
  const { isBusy, ask } = useAsking<Comparison>();
  const submit = (event: Event) => {
    event.preventDefault();
    if (!isBusy) void ask((signal) => compare(text, setComparison, signal));
  };
  return (
    <>
      <form class="card" aria-label="Text to compare" onSubmit={submit}>
        <div class="field">
          <label for="compared">Text</label>
          <textarea
            id="compared"
            rows={3}
            value={text}
            aria-describedby="compared-hint"
            dir="auto"
            onInput={({ currentTarget }) => setText(currentTarget.value)}
          />
          <p id="compared-hint" class="hint">
            The tiers are asked one after the other and past the caches, so that their times can be
            compared.
          </p>
        </div>
        <button type="submit" class="primary" aria-disabled={isBusy}>
          {isBusy ? "Comparing…" : "Compare the tiers"}
        </button>
      </form>
      <output class="note-line">{comparison && !isBusy && verdictOf(comparison)}</output>
      <div class="tiers" aria-busy={isBusy}>
        {comparison?.tiers.map(({ tier, said }) => (
          <TierCard key={tier} tier={tier} said={said} onKey={onKey} />
        ))}
      </div>
    </>
  );
}

function verdictOf(comparison: Comparison): string {
  const labels = [...labelsOf(comparison)];
  if (labels.length === 0) return "No tier has answered.";
  const [[label = "LABEL_NEUTRAL"] = []] = labels;
  if (labels.length === 1) return `All models agree: ${LABEL_NAMES[label]}.`;
  const parts = labels.map(
    ([one, tiers]) => `${LABEL_NAMES[one]} by ${tiers.map((tier) => TIER_NAMES[tier]).join(", ")}`,
  );
  return `The models differ: ${parts.join("; ")}.`;
}
