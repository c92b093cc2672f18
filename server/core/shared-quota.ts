/** What a holder's calls have cost. */
export interface Spent {
  readonly holder: string;
  /** The holder's quota, as it is known here. */
  readonly tokensPerMinute: number;
  /** Since it was told last. */
  readonly tokens: number;
}

/** What several servers, or several processes of one, have spent of the same quotas. */
export interface SharedQuota {
  /** Adds what was spent here. What each holder has left, in their order; undefined: not known. Rejects, soon, where it cannot be told to the others. */
  take(spent: readonly Spent[]): Promise<readonly (number | undefined)[]>;
}
