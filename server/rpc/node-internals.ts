/** Under which Node holds something of an object, by the symbol's description; undefined: this version of Node has none of it. */
export function symbolOf(object: object, description: string): symbol | undefined {
  return Object.getOwnPropertySymbols(object).find((symbol) => symbol.description === description);
}

/** What Node holds of an object under such a symbol. */
export function heldAs(object: object, description: string): unknown {
  const key = symbolOf(object, description);
  return key && (object as Record<symbol, unknown>)[key];
}
