import { z } from "zod";
import { Settings } from "../../../server/settings.js";

/** The parts of a JSON schema that settings have. */
interface Part {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
}

const FLAG = ["true", "false"].join();
const WHOLE = "^\\d+$";
const DECIMAL = "^\\d+(\\.\\d+)?$";
/** Where a pod's probes and Services have to find it. */
const PORTS = ["GRPC_PORT", "HTTP_PORT"];

const side = (schema: z.ZodType, io: "input" | "output"): Part =>
  z.toJSONSchema(schema, { io, unrepresentable: "any" }) as Part;

/** What a setting may be in a YAML file: numbers and flags are those of YAML there, where the environment has only texts. */
function ofYaml(name: string, schema: z.ZodType): Part {
  const input = side(schema, "input");
  const output = side(schema, "output");
  if (input.enum?.join() === FLAG) return { type: "boolean" };
  if (input.pattern === WHOLE) {
    const minimum = PORTS.includes(name) ? 1 : output.minimum;
    return { type: "integer", ...present({ minimum, maximum: output.maximum }) };
  }
  if (input.pattern === DECIMAL) {
    const { minimum, maximum } = output;
    return { type: "number", ...present({ minimum, maximum }) };
  }
  if (typeof output.default === "number" && output.minimum === undefined)
    return { type: "number", minimum: 0, maximum: 1 };
  if (input.enum !== undefined) return { enum: input.enum };
  return { type: "string", ...present({ pattern: input.pattern, minLength: input.minLength }) };
}

const present = (part: Readonly<Record<string, unknown>>): Part =>
  Object.fromEntries(Object.entries(part).filter(([, value]) => value !== undefined));

/** A JSON schema for each setting of the server, made from the server's own. */
export const serverSettings = (): Readonly<Record<string, object>> =>
  Object.fromEntries(
    Object.entries(Settings.shape).map(([name, schema]) => [
      name,
      { ...ofYaml(name, schema), description: schema.description },
    ]),
  );
