import { useId } from "preact/hooks";
import type { Tier } from "../api/messages.ts";
import { Check } from "../parts/check.tsx";
import { TierChoice } from "../parts/tier-choice.tsx";

export interface RunSettings {
  /** Texts of a call, up to the server's MAX_BATCH_SIZE. */
  readonly batchSize: number;
  /** Calls under way; a browser opens six connections at most. */
  readonly concurrency: number;
  readonly protect: boolean;
}

interface Props {
  readonly tier: Tier;
  readonly settings: RunSettings;
  readonly isBusy: boolean;
  readonly onTier: (tier: Tier) => void;
  readonly onSettings: (settings: RunSettings) => void;
  readonly onStart: () => void;
  readonly onCancel: () => void;
}

export function RunForm(props: Props) {
  const { tier, settings, isBusy, onTier, onSettings, onStart, onCancel } = props;
  const id = useId();
  return (
    <form
      class="card"
      aria-labelledby={`${id}-title`}
      onSubmit={(event) => {
        event.preventDefault();
        if (!isBusy) onStart();
      }}
    >
      <h2 id={`${id}-title`}>Run</h2>
      <div class="fields">
        <TierChoice tier={tier} onChange={onTier} disabled={isBusy} />
        <Choice
          name="Texts a call"
          value={settings.batchSize}
          values={[16, 32, 64, 100]}
          isBusy={isBusy}
          onChange={(batchSize) => onSettings({ ...settings, batchSize })}
        />
        <Choice
          name="Calls at once"
          value={settings.concurrency}
          values={[1, 2, 4]}
          isBusy={isBusy}
          onChange={(concurrency) => onSettings({ ...settings, concurrency })}
        />
      </div>
      <Check
        checked={settings.protect}
        disabled={isBusy}
        onChange={(protect) => onSettings({ ...settings, protect })}
      >
        make formulas harmless: an apostrophe before cells that a spreadsheet would run
      </Check>
      <p class="buttons">
        <button type="submit" class="primary" aria-disabled={isBusy}>
          {isBusy ? "Running…" : "Run the file"}
        </button>
        {isBusy && (
          <button type="button" onClick={onCancel}>
            Cancel
          </button>
        )}
      </p>
    </form>
  );
}

interface ChoiceProps {
  readonly name: string;
  readonly value: number;
  readonly values: readonly number[];
  readonly isBusy: boolean;
  readonly onChange: (value: number) => void;
}

function Choice({ name, value, values, isBusy, onChange }: ChoiceProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{name}</label>
      <select
        id={id}
        value={String(value)}
        disabled={isBusy}
        onChange={({ currentTarget }) => onChange(Number(currentTarget.value))}
      >
        {values.map((one) => (
          <option key={one} value={String(one)}>
            {one}
          </option>
        ))}
      </select>
    </div>
  );
}
