/** Whether new calls should be sent here, as a load balancer asks. */
export interface Readiness {
  /** From now on calls are answered, as far as their models can be. */
  serving(): void;
  /** From now on, for good, new calls are refused. */
  draining(): void;
  /** Why no calls should come; empty: they should. */
  reasons(): readonly string[];
}

/** As /readyz tells it. */
export const readyState = (reasons: readonly string[]) =>
  reasons.length === 0 ? { ready: true } : { ready: false, reasons };

/** `unready` names the models for which calls cannot be answered now. */
export function createReadiness(unready: () => readonly string[]): Readiness {
  let phase: "starting" | "serving" | "draining" = "starting";
  return {
    serving: () => {
      phase = "serving";
    },
    draining: () => {
      phase = "draining";
    },
    reasons() {
      if (phase === "draining") return ["draining"];
      const models = unready().map((model) => `model not ready: ${model}`);
      return models.length > 0 || phase === "serving" ? models : ["starting"];
    },
  };
}
