/** A server that is asked, ours or a peer: the same load goes to all. */
export interface Served extends AsyncDisposable {
  readonly title: string;
  readonly pid: number;
  /** The label of one text. */
  ask(text: string): Promise<string>;
  /** The labels of several, in one call. */
  askMany(texts: readonly string[]): Promise<readonly string[]>;
}
