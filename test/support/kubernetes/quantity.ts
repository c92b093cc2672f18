const FACTORS: Readonly<Record<string, number>> = {
  m: 1e-3,
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
};

/** Cores or bytes, as Kubernetes writes them: `250m`, `2`, `512Mi`. */
export function quantityOf(text: string): number {
  const { number = "", unit = "" } = /^(?<number>[\d.]+)(?<unit>\D*)$/.exec(text)?.groups ?? {};
  const factor = FACTORS[unit];
  if (number === "" || factor === undefined) throw new Error(`${text} is no quantity`);
  return Number(number) * factor;
}
