import { z } from "zod";
import { flag, group, SECRET, text, whole } from "./kinds.js";
import { extras, image, resources, scheduling, security, strategy } from "./workload.js";

const secretKey = (key: string, what: string) =>
  group(what, { name: text("", SECRET), key: text(key, "its key") });

export const redis = group("answers and quotas that servers share", {
  externalUrl: text("", "REDIS_URL of a Redis that is there already, where it holds no password"),
  externalUrlSecret: secretKey("url", "the same out of a Secret"),
  enabled: flag(false, "run one that is a cache: one pod, nothing on disk"),
  image: image("docker.io", "library/redis", "7.4.2-bookworm", "Redis"),
  maxMemoryMb: whole(
    256,
    16,
    1_000_000,
    "megabytes of answers; those used least recently make room",
  ),
  auth: group("who may use it", {
    password: z
      .string()
      .regex(/^[A-Za-z0-9._~-]*$/)
      .default("")
      .describe("password, of letters, digits and . _ ~ -: it becomes a part of a URL"),
    existingSecret: secretKey("password", "the same out of a Secret"),
  }),
  resources: resources(
    { limits: { cpu: "1", memory: "512Mi" }, requests: { cpu: "100m", memory: "256Mi" } },
    "resources of Redis: more memory than maxMemoryMb",
  ),
  strategy,
  ...scheduling,
  ...extras,
  ...security(999),
});
