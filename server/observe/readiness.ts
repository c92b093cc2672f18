/** Whether new calls should be sent here, as a load balancer asks. */
export interface Readiness {
  /** From now on calls are answered, as far as their models can be. */
  serving(): void;
  /** From now on, for good, new calls should go elsewhere. */
  draining(): void;
  readonly isDraining: boolean;
  /** Why no calls should come; empty: they should. */
  reasons(): readonly string[];
}

/** As /readyz tells it. */
export const readyState = (reasons: readonly string[]) =>
  reasons.length === 0 ? { ready: true } : { ready: false, reasons };

/** `unready` names the models for which calls cannot be answered now, `down` the backends that can run none. */
export function createReadiness(
  unready: () => readonly string[],
  down: () => readonly string[] = () => [],
): Readiness {
  let phase: "starting" | "serving" | "draining" = "starting";
  return {
    serving: () => {
      phase = "serving";
    },
    draining: () => {
      phase = "draining";
    },
    get isDraining() {
      return phase === "draining";
    },
    reasons() {
      if (phase === "draining") return ["draining"];
      const models = unready().map((model) => `model not ready: ${model}`);
      if (phase === "starting") return models.length > 0 ? models : ["starting"];
      // While models can be asked for all the same, by a stand-by, it is no reason.
      const causes = models.length > 0 ? down().map((backend) => `backend down: ${backend}`) : [];
      return [...models, ...causes];
    },
  };
}
