const STORED = "sentiment-key";
/** What a header can carry. */
const SENDABLE = /^[\x21-\x7e]+$/;

/** In memory, and, where it is to outlive a reload of this tab, in sessionStorage; never in a URL. */
let key = sessionStorage.getItem(STORED) ?? "";

export const currentKey = (): string => key;
export const isKept = (): boolean => sessionStorage.getItem(STORED) !== null;
export const isSendable = (text: string): boolean => SENDABLE.test(text);

/** "" forgets it. `keep`: until the tab is closed. */
export function rememberKey(text: string, keep: boolean): void {
  key = text;
  if (keep && text !== "") sessionStorage.setItem(STORED, text);
  else sessionStorage.removeItem(STORED);
}
