/** What decides which keys stay: it is asked for one key after another. */
export interface Policy {
  /** Whether the key was held. It is held from then on, or not, as the policy thinks best. */
  request(key: number): boolean;
}
