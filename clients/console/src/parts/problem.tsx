import { AskError } from "../api/errors.ts";

interface Props {
  readonly error: unknown;
  /** Opens the dialog for the key. */
  readonly onKey: () => void;
}

/** Says at once what went wrong, to those who listen as well. */
export function Problem({ error, onKey }: Props) {
  const known = error instanceof AskError ? error : undefined;
  return (
    <div class="problem" role="alert">
      <p>
        {known?.message ?? `The page failed on this: ${error}`}
        {known !== undefined && known.reason !== "" && (
          <span class="reason"> ({known.reason})</span>
        )}
      </p>
      {known?.retryAfterMs !== undefined && (
        <p>It may be asked again in {Math.ceil(known.retryAfterMs / 1000)} s.</p>
      )}
      {known?.wantsKey && (
        <button type="button" onClick={onKey}>
          Enter a key
        </button>
      )}
    </div>
  );
}
