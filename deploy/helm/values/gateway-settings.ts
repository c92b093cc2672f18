import { z } from "zod";

const whole = (least: number, most: number) => z.int().min(least).max(most).optional();
const path = z.string().min(1).optional();

/** Every setting of the REST bridge: clients/gateway/config.go has the same, and a test compares them. */
export const GATEWAY_SETTINGS = {
  GATEWAY_PORT: whole(1, 65535),
  BIND_ADDRESS: z.string().min(1).optional(),
  SENTIMENT_ADDRESS: z.string().min(1).optional(),
  SENTIMENT_CA: path,
  SENTIMENT_CERT: path,
  SENTIMENT_KEY: path,
  SENTIMENT_METRICS_URL: z.string().min(1).optional(),
  TLS_CERT: path,
  TLS_KEY: path,
  CORS_ORIGINS: z.string().min(1).optional(),
  REQUEST_TIMEOUT: whole(1, 3600),
  MAX_BODY_SIZE: z
    .string()
    .regex(/^[1-9][0-9]{0,9}[kmgKMG]?[bB]?$/)
    .optional(),
  MAX_REQUESTS: whole(1, 1_000_000),
  MAX_STREAMS: whole(1, 1_000_000),
  STREAM_IDLE_TIMEOUT: whole(0, 86_400),
  DRAIN_DELAY: whole(0, 3600),
  DRAIN_TIMEOUT: whole(1, 3600),
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal"]).optional(),
};
