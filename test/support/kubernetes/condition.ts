export interface Conditions {
  readonly conditions?: readonly { readonly type: string; readonly status: string }[];
}

/** Whether a status says so. */
export const hasCondition = ({ conditions = [] }: Conditions, type: string): boolean =>
  conditions.some((condition) => condition.type === type && condition.status === "True");
