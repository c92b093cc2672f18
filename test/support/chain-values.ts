import type { Chain } from "../../server/core/chain.js";

export function valuesOf<Value>(chain: Chain<Value>): Value[] {
  const values: Value[] = [];
  for (let link = chain.first; link !== undefined; link = link.after) values.push(link.value);
  return values;
}
