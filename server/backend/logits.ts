import { LABELS } from "../core/tiers.js";

/** Throws unless the logits of one text are one finite number a class: what answers otherwise is no sentiment model. */
export function checkLogits(logits: Float32Array): void {
  if (logits.length !== LABELS.length || !logits.every(Number.isFinite)) {
    const found = [...logits.slice(0, 8)].join(", ");
    throw new Error(
      `its logits of one text are not ${LABELS.length} finite numbers (${LABELS.join(", ")}) but ${logits.length}: ${found}`,
    );
  }
}
