import { useEffect, useRef, useState } from "preact/hooks";
import { currentKey, isKept, isSendable, rememberKey } from "./api/key.ts";
import { Check } from "./parts/check.tsx";

interface Props {
  readonly isOpen: boolean;
  readonly onClose: () => void;
}

/** Asks for the key that the server wants. The browser keeps the focus inside, and Escape closes it. */
export function KeyDialog({ isOpen, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isOpen]);
  return (
    <dialog ref={dialog} aria-labelledby="key-title" onClose={onClose}>
      {isOpen && <KeyForm onDone={onClose} />}
    </dialog>
  );
}

function KeyForm({ onDone }: { readonly onDone: () => void }) {
  const [key, setKey] = useState(currentKey);
  const [keep, setKeep] = useState(isKept);
  const isBad = key !== "" && !isSendable(key);
  const take = (text: string) => {
    rememberKey(text, keep);
    onDone();
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (!isBad) take(key);
      }}
    >
      <h2 id="key-title">Key</h2>
      <div class="field">
        <label for="key">API key or token of the server</label>
        <input
          id="key"
          type="password"
          autocomplete="off"
          spellcheck={false}
          value={key}
          aria-invalid={isBad}
          aria-describedby="key-hint"
          onInput={({ currentTarget }) => setKey(currentTarget.value.trim())}
        />
        <p id="key-hint" class="hint">
          {isBad
            ? "No key looks like this: there are only printable characters without spaces in one."
            : "Sent with each call in a header, never in an address. It is forgotten when the page is left."}
        </p>
      </div>
      <Check checked={keep} onChange={setKeep}>
        keep it until this tab is closed
      </Check>
      <p class="buttons">
        <button type="submit" class="primary" aria-disabled={isBad}>
          Use it
        </button>
        <button type="button" onClick={() => take("")}>
          Forget it
        </button>
        <button type="button" onClick={onDone}>
          Cancel
        </button>
      </p>
    </form>
  );
}
