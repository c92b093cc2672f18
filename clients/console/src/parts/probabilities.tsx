import type { Probabilities as Values } from "../api/messages.ts";
import { percent } from "./format.ts";

const CLASSES = ["negative", "neutral", "positive"] as const;

export function Probabilities({ values }: { readonly values: Values }) {
  return (
    <dl class="probabilities">
      {CLASSES.map((name) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <span class="bar" aria-hidden="true">
              <span class={name} style={{ width: `${values[name] * 100}%` }} />
            </span>
            <span class="number">{percent(values[name])}</span>
          </dd>
        </div>
      ))}
    </dl>
  );
}
