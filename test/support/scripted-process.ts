import type { Clock } from "../../server/core/clock.js";
import type { PrimaryCalls, ProcessCalls } from "../../server/processes/calls.js";
import { Link } from "../../server/processes/link.js";
import type { Forked } from "../../server/processes/supervised-process.js";
import { linkedChannels } from "./linked.js";
import { someStatus } from "./some-status.js";

/** A process that does what the test says; for its primary it is as good as a real one. */
export interface ScriptedProcess {
  readonly forked: Forked;
  readonly link: Link<ProcessCalls, PrimaryCalls>;
  /** It has ended, in that way. */
  readonly end: (how: string) => void;
  /** What it answers to the primary; may be changed. */
  readonly calls: { -readonly [Name in keyof ProcessCalls]: ProcessCalls[Name] };
  /** It was told to. */
  drains: boolean;
  /** CPU time that it has taken. */
  cpuMs: number | undefined;
}

export function scriptedProcess(clock: Clock): ScriptedProcess {
  const [here, there] = linkedChannels();
  const ended = Promise.withResolvers<string>();
  const calls: ScriptedProcess["calls"] = {
    metrics: async () => [],
    reasons: () => [],
    status: () => someStatus(),
    admin: async () => ({}),
    drain: () => {
      scripted.drains = true;
    },
  };
  const answering: ProcessCalls = {
    metrics: (nothing) => calls.metrics(nothing),
    reasons: (nothing) => calls.reasons(nothing),
    status: (nothing) => calls.status(nothing),
    admin: (call, signal) => calls.admin(call, signal),
    drain: (nothing) => calls.drain(nothing),
  };
  const scripted: ScriptedProcess = {
    forked: {
      channel: here,
      ended: ended.promise,
      kill: () => ended.resolve("SIGKILL"),
      cpuMs: () => scripted.cpuMs,
    },
    link: new Link<ProcessCalls, PrimaryCalls>(there, answering, clock, () => {}),
    end: ended.resolve,
    calls,
    drains: false,
    cpuMs: undefined,
  };
  return scripted;
}
