/** What Node holds of an object under a symbol that only its description tells; undefined: this version of Node has none of it. */
export function heldAs(object: object, description: string): unknown {
  const key = Object.getOwnPropertySymbols(object).find(
    (symbol) => symbol.description === description,
  );
  return key && (object as Record<symbol, unknown>)[key];
}
