import { driveCall } from "./call-driver.js";
import { Clients } from "./client-driver.js";
import { drawOf, weighted } from "./draw.js";
import { KINDS } from "./kinds.js";
import type { CallPlan, Keys, Outcome, Plan } from "./plan.js";
import { driveRaw } from "./raw-driver.js";
import { Report } from "./report.js";
import { Sessions } from "./sessions.js";

export interface Campaign {
  readonly address: string;
  readonly keys: Keys;
  readonly seed: number;
  /** Of the first case: with `calls` 1 it is repeated alone. */
  readonly first: number;
  readonly calls: number;
  /** Only these; undefined: all. */
  readonly kinds?: readonly string[] | undefined;
  /** Asked before each case: whether there is nobody left to call. */
  readonly isOver: () => boolean;
}

const AT_ONCE = 48;
const CONNECTIONS = 6;

/** Cases one after the other, AT_ONCE of them at the same time. */
export async function campaign({
  address,
  keys,
  seed,
  first,
  calls,
  kinds,
  isOver,
}: Campaign): Promise<Report> {
  const report = new Report();
  const known = KINDS.filter(({ name }) => kinds?.includes(name) ?? true);
  await using sessions = new Sessions(address, CONNECTIONS);
  using clients = new Clients(address, keys);

  const drive = (plan: Plan, place: number): Promise<Outcome> => {
    if (plan.over === "tcp") return driveRaw(address, plan);
    if (plan.over === "grpc-js") return clients.drive(plan);
    return isOrderly(plan)
      ? driveCall(sessions.steady(place), plan)
      : driveCall(sessions.breakable(), plan, true);
  };
  const one = async (place: number): Promise<void> => {
    const draw = drawOf(seed, place);
    const kind = weighted(draw, known);
    const plan = kind.plan(draw, keys);
    const startedMs = performance.now();
    const outcome = await drive(plan, place).catch(
      (error: unknown): Outcome => ({ said: "not sent", fault: String(error) }),
    );
    report.note(kind.name, place, outcome, performance.now() - startedMs);
  };
  const places = Array(calls).keys();
  const worker = async () => {
    for (const place of places) {
      if (isOver()) return;
      await one(first + place);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, calls) }, worker));
  for (const fault of sessions.faults) report.faults.push({ place: first, kind: "session", fault });
  return report;
}

/** Nothing in it is a reason to close the connection. */
const isOrderly = ({ leavesAfterMs, isHalfOpen, isBroken }: CallPlan): boolean =>
  leavesAfterMs === undefined && !isHalfOpen && !isBroken;
