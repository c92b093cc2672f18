import { useCallback, useEffect, useRef, useState } from "preact/hooks";

/** Where a question stands. An answer stays until the next one is there. */
export interface Asking<Answer> {
  readonly answer: Answer | undefined;
  readonly error: unknown;
  readonly isBusy: boolean;
  /** Takes the place of the question before, which is given up. */
  readonly ask: (question: (signal: AbortSignal) => Promise<Answer>) => Promise<void>;
  readonly cancel: () => void;
}

export function useAsking<Answer>(): Asking<Answer> {
  const [answer, setAnswer] = useState<Answer>();
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const current = useRef(new AbortController());

  const ask = useCallback(async (question: (signal: AbortSignal) => Promise<Answer>) => {
    current.current.abort();
    const own = new AbortController();
    current.current = own;
    setBusy(true);
    setError(undefined);
    try {
      const said = await question(own.signal);
      if (!own.signal.aborted) setAnswer(() => said);
    } catch (cause) {
      if (!own.signal.aborted) setError(cause);
    } finally {
      if (current.current === own) setBusy(false);
    }
  }, []);
  const cancel = useCallback(() => current.current.abort(), []);
  useEffect(() => cancel, [cancel]);
  return { answer, error, isBusy, ask, cancel };
}
