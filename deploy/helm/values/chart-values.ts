import { z } from "zod";
import {
  auth,
  modelRepository,
  monitoring,
  networkPolicy,
  serviceAccount,
  test,
  tls,
  tracing,
} from "./around.js";
import { front } from "./front.js";
import { gateway } from "./gateway.js";
import { objects, text, textMap, texts } from "./kinds.js";
import { redis } from "./redis.js";
import { serverSettings } from "./server-settings.js";
import { triton } from "./triton.js";

/** What a JSON schema is made of here. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly [keyword: string]: unknown;
}

/** Beside the standards of the server itself: what the guide sets, and what a Service needs. */
const SETTINGS = { OMP_NUM_THREADS: 2, TOKENIZERS_PARALLELISM: false, MAX_CONNECTION_AGE: 300 };

const Values = z.strictObject({
  enabled: z
    .boolean()
    .optional()
    .describe("not used here: the condition of a chart that has this one as a dependency"),
  global: z
    .looseObject({
      imageRegistry: text("", "registry of all images"),
      imagePullSecrets: texts([], "names of Secrets, beside imagePullSecrets"),
    })
    .describe("shared with the charts around this one"),
  nameOverride: text("", "name, in place of the chart's"),
  fullnameOverride: text("", "name of what is made, in place of the release's"),
  labels: textMap({}, "labels of all that is made"),
  imagePullSecrets: texts([], "names of Secrets for the registry"),
  serviceAccount,
  settings: z.looseObject({}),
  auth,
  tls,
  tracing,
  modelRepository,
  front,
  gateway,
  triton,
  redis,
  networkPolicy,
  monitoring,
  test,
  extraObjects: objects([], "manifests that are installed too; texts in them are templates"),
});

const settings: Schema = {
  type: "object",
  description:
    "environment variables of the server, named as in the README of the project; those that are not set have the server's own standard",
  default: SETTINGS,
  properties: serverSettings() as Readonly<Record<string, Schema>>,
  additionalProperties: false,
};

/** The schema of all values, for helm and for editors. */
export function chartSchema(): Schema {
  const schema = z.toJSONSchema(Values, { target: "draft-7", io: "input" }) as Schema;
  const opened = withoutRequired(schema);
  return { ...opened, properties: { ...opened.properties, settings } };
}

/** `null` takes a value out: what is left of an object must still be one. */
function withoutRequired({ required: _, ...schema }: Schema): Schema {
  const { properties } = schema;
  if (properties === undefined) return schema;
  const entries = Object.entries(properties).map(([name, part]) => [name, withoutRequired(part)]);
  return { ...schema, properties: Object.fromEntries(entries) };
}
