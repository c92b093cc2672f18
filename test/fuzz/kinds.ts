import {
  AnalyzeBatchRequest,
  type AnalyzeOptions,
  AnalyzeRequest,
  LongText,
  SentimentServiceDefinition,
  Tier,
} from "../../server/gen/sentiment/v1/sentiment.js";
import { type Draw, happens, oneOf, weighted } from "./draw.js";
import { type Body, bomb, framed, oddlyFramed } from "./envelope.js";
import { headersOf, oddHeaders } from "./headers.js";
import { METHODS, type Method } from "./methods.js";
import { mutated } from "./mutate.js";
import type { CallPlan, ClientPlan, Keys, Plan } from "./plan.js";
import { mischief, stranger } from "./raw-plans.js";
import { denseText, hugeText, longText, oddText, shortText } from "./texts.js";

/** A kind of case; its plan is all chance, and nothing but the numbers drawn. */
interface Kind {
  readonly name: string;
  readonly weight: number;
  plan(draw: Draw, keys: Keys): Plan;
}

/** A watch, or a stream that says nothing, is left after that. */
const PATIENCE_MS = 60;

const keyFor = ({ isAdmins }: Method, { admin, analyze }: Keys): string =>
  isAdmins ? admin : analyze;
/** Who sends what may mean anything is no admin where that could do harm. */
const harmless = ({ isDelicate }: Method, key: string, { analyze }: Keys): string =>
  isDelicate ? analyze : key;

function callPlan(
  method: Method,
  { chunks, encoding }: Body,
  key: string,
  given: Partial<CallPlan> = {},
): CallPlan {
  const headers = headersOf(method.path, key);
  return {
    over: "http2",
    headers: encoding === undefined ? headers : { ...headers, "grpc-encoding": encoding },
    chunks,
    ...(method.isEndless && { leavesAfterMs: PATIENCE_MS }),
    ...given,
  };
}

/** As many messages as the method takes. */
const bodyOf = (method: Method, draw: Draw): Body => ({
  chunks: Array.from({ length: method.isStream ? draw(0, 4) : 1 }, () =>
    framed(method.message(draw)),
  ),
});

const valid = (draw: Draw, keys: Keys): CallPlan => {
  const method = weighted(draw, METHODS);
  return callPlan(method, bodyOf(method, draw), keyFor(method, keys));
};

const ANALYZE = `/${SentimentServiceDefinition.fullName}/Analyze`;
const ANALYZE_BATCH = `/${SentimentServiceDefinition.fullName}/AnalyzeBatch`;

const options = (draw: Draw): AnalyzeOptions => ({
  explain: happens(draw, 50),
  sentences: happens(draw, 500),
  skipCache: happens(draw, 500),
  longText: LongText.LONG_TEXT_WINDOWS,
});

const analyzed = (text: string, asked: AnalyzeOptions, tier: Tier): ClientPlan => ({
  over: "grpc-js",
  path: ANALYZE,
  message: AnalyzeRequest.encode({ text, tier, options: asked }).finish(),
});

/** In the order of the table in README.md. */
export const KINDS: readonly Kind[] = [
  { name: "valid", weight: 2200, plan: valid },
  {
    name: "message",
    weight: 3500,
    plan(draw, keys) {
      const method = weighted(draw, METHODS);
      const body = { chunks: [framed(mutated(method.message(draw), draw))] };
      return callPlan(method, body, harmless(method, keyFor(method, keys), keys));
    },
  },
  {
    name: "framing",
    weight: 1500,
    plan(draw, keys) {
      const method = weighted(draw, METHODS);
      const body = oddlyFramed(method.message(draw), draw);
      return callPlan(method, body, harmless(method, keyFor(method, keys), keys));
    },
  },
  {
    name: "headers",
    weight: 1500,
    plan(draw, keys) {
      const plan = valid(draw, keys);
      return { ...plan, ...oddHeaders(plan.headers, draw) };
    },
  },
  {
    name: "leaving",
    weight: 600,
    plan(draw, keys) {
      const leavesAfterMs = oneOf(draw, [0, 0, 1, 2, 5, 20]);
      return { ...valid(draw, keys), leavesAfterMs, isHalfOpen: happens(draw, 300) };
    },
  },
  {
    name: "silent",
    weight: 60,
    plan: (draw, keys) => ({
      ...valid(draw, keys),
      isHalfOpen: true,
      leavesAfterMs: draw(1, PATIENCE_MS),
    }),
  },
  {
    name: "late",
    weight: 200,
    plan: (draw) => ({
      ...analyzed(shortText(draw), options(draw), Tier.TIER_FAST),
      deadlineMs: oneOf(draw, [0, 1, 2, 10]),
    }),
  },
  {
    name: "hasty",
    weight: 200,
    plan: (draw) => ({
      ...analyzed(oddText(draw), options(draw), Tier.TIER_FAST),
      leavesAfterMs: oneOf(draw, [0, 1, 5]),
    }),
  },
  {
    name: "odd texts",
    weight: 50,
    plan: (draw) => analyzed(oddText(draw), options(draw), oneOf(draw, [1, 1, 1, 2, 4] as const)),
  },
  {
    name: "long texts",
    weight: 6,
    plan: (draw) => analyzed(longText(draw), options(draw), Tier.TIER_FAST),
  },
  {
    name: "dense texts",
    weight: 1,
    plan: (draw) => analyzed(denseText(draw), options(draw), oneOf(draw, [1, 1, 2] as const)),
  },
  {
    name: "huge texts",
    weight: 2,
    plan: (draw) => analyzed(hugeText(draw), options(draw), Tier.TIER_FAST),
  },
  {
    name: "long batches",
    weight: 1,
    plan: (draw) => ({
      over: "grpc-js",
      path: ANALYZE_BATCH,
      message: AnalyzeBatchRequest.encode({
        texts: Array.from({ length: 5 }, () => longText(draw)),
        tier: Tier.TIER_FAST,
        options: options(draw),
      }).finish(),
    }),
  },
  {
    name: "bombs",
    weight: 2,
    plan(draw, keys) {
      const method = weighted(draw, METHODS);
      return callPlan(method, bomb(draw), keys.analyze);
    },
  },
  { name: "frames", weight: 180, plan: mischief },
  { name: "strangers", weight: 20, plan: stranger },
];
