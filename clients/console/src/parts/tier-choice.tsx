import { useId } from "preact/hooks";
import type { Tier } from "../api/messages.ts";

const CHOICES: readonly (readonly [Tier, string])[] = [
  ["TIER_UNSPECIFIED", "Default of the server"],
  ["TIER_FAST", "Fast: the smallest model"],
  ["TIER_BALANCED", "Balanced"],
  ["TIER_ACCURATE", "Accurate: the largest model"],
  ["TIER_AUTO", "Auto: fast, and accurate where it is unsure"],
];

interface Props {
  readonly tier: Tier;
  readonly onChange: (tier: Tier) => void;
  readonly disabled?: boolean;
}

export function TierChoice({ tier, onChange, disabled = false }: Props) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>Tier</label>
      <select
        id={id}
        value={tier}
        disabled={disabled}
        onChange={({ currentTarget }) => onChange(currentTarget.value as Tier)}
      >
        {CHOICES.map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
    </div>
  );
}
