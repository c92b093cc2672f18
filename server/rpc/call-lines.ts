import type { Call } from "../core/call.js";
import { FAULT_CODES } from "../core/fault-codes.js";
import { traceIdOf } from "../core/trace.js";
import type { Ended, EndedCall } from "./around-calls.js";

type CallLevel = "warn" | "info" | "debug";

/** What the log says of a call: never a text, never a key. */
export interface CallLine {
  readonly method: string;
  /** gRPC's name of its status. */
  readonly code: string;
  readonly ms: number;
  /** Of a stream, the answers given; undefined: the call is not about texts. */
  readonly texts: number | undefined;
  /** As asked for. */
  readonly tier: string | undefined;
  /** Of the trace that it belongs to. */
  readonly trace: string | undefined;
}

export interface CallLog {
  /** At which level to write of such a call; undefined: not at all. */
  levelOf(isFault: boolean, ms: number): CallLevel | undefined;
  write(level: CallLevel, line: CallLine): void;
}

const isFault = (code: string, isDraining: () => boolean) =>
  FAULT_CODES.has(code) && !(code === "UNAVAILABLE" && isDraining());

/** A line of the log for each call that the log wants one of; nothing is made for the others. To refuse calls while the server drains is no fault. */
export const callLines =
  (log: CallLog, isDraining: () => boolean): Ended =>
  (ended, call, code, ms, answers) => {
    // A stream takes as long as its client has texts.
    const level = log.levelOf(isFault(code, isDraining), ended.responseStream ? 0 : ms);
    if (level !== undefined) log.write(level, lineOf(ended, call, code, ms, answers));
  };

function lineOf(
  { method, request, responseStream }: EndedCall,
  call: Call,
  code: string,
  ms: number,
  answers: number,
): CallLine {
  const asked: Asked = isObject(request) && !responseStream ? request : {};
  return {
    method: method.path,
    code,
    ms: Number(ms.toFixed(1)),
    texts: responseStream ? answers : textsOf(asked),
    tier: tierOf(asked),
    trace: traceIdOf(call),
  };
}

/** What requests of the services have in common, unchecked. */
interface Asked {
  readonly text?: unknown;
  readonly texts?: unknown;
  readonly tier?: unknown;
  readonly modelName?: unknown;
  readonly inputs?: unknown;
}

const isObject = (value: unknown): value is Asked => typeof value === "object" && value !== null;

function textsOf({ text, texts, inputs }: Asked): number | undefined {
  if (Array.isArray(texts)) return texts.length;
  if (typeof text === "string") return 1;
  const first = Array.isArray(inputs) ? inputs[0]?.shape?.[0] : undefined;
  return first === undefined ? undefined : Number(first);
}

/** By the numbers of the enum. */
const TIERS = ["default", "fast", "balanced", "accurate", "auto"];
const MODEL_NAME = /^sentiment_(fast|balanced|accurate|auto)$/;

/** Names that a client made up are not written: they might be anything. */
const tierOf = ({ tier, modelName }: Asked): string | undefined =>
  typeof tier === "number" ? TIERS[tier] : MODEL_NAME.exec(String(modelName))?.[1];
