import assert from "node:assert/strict";
import { loadConfig } from "../../server/config.js";
import { createLog } from "../../server/observe/log.js";
import { logDecisions, logStart } from "../../server/start-up-log.js";

describe("the log of the start", () => {
  const saidBy = (
    env: Readonly<Record<string, string>>,
    say: (config: ReturnType<typeof loadConfig>, log: ReturnType<typeof createLog>) => void,
  ) => {
    const lines: string[] = [];
    const log = createLog("info", { write: (line) => lines.push(JSON.parse(line).msg) });
    say(loadConfig(env, 2), log);
    return lines;
  };
  const decisions = (env: Readonly<Record<string, string>> = {}) =>
    saidBy(env, (config, log) => logDecisions(config, log, 2));

  it("says what was decided, and by what, in about ten lines", () => {
    const said = saidBy({}, (config, log) => logStart(config, ["fast", "balanced"], false, log));
    assert.equal(said.length, 14);
    assert.equal(
      said.at(-1),
      "tiers: fast, balanced in triton-model-repo, balanced by default; all loaded before calls are taken (PREFETCH_MODELS=true)",
    );
    const expected = [
      "processes: one (PROCESSES=1)",
      "threads: 2 inference workers with 1 threads each (MAX_WORKERS=4, OMP_NUM_THREADS unset, 2 CPUs may be used, processes: 1)",
      "reading: all texts on the event loop (TOKENIZERS_PARALLELISM=false)",
      "backend: onnxruntime in this process, on the CPU (BACKEND=embedded)",
      "batches: by cost (BATCH_POLICY), BATCH_SIZE=32, from 8 to 128 rows",
      "memory: models are unloaded over 80 % of 4096 MiB (MEMORY_LIMIT), model files up to 2048 MiB (MODEL_CACHE_SIZE), of each process",
      "caches: memory with 10000 answers (RESULT_CACHE_SIZE); for 3600 s (CACHE_TTL)",
      "limits: 30 s for a call (REQUEST_TIMEOUT), refused when it would wait over 5 s (QUEUE_TIMEOUT), fast in place of others never (BROWN_OUT_MS)",
      "transport: plaintext (TLS_CERT is unset), 10000 connections of each process (MAX_CONNECTIONS), 1000 calls at once on each (MAX_CONCURRENT_STREAMS)",
      "keys: none are asked for, and AdminService is off (API_KEYS_FILE and JWT_JWKS are unset)",
      "quotas: none (TOKENS_PER_MINUTE=0); a token counts fast 1, balanced 2, accurate 10 (QUOTA_WEIGHTS)",
      "traces: none (OTEL_EXPORTER_OTLP_ENDPOINT is unset)",
      "log of calls: 1 % of them (LOG_SAMPLE), those of 1000 ms or more (SLOW_CALL_MS), and those that fail by the server's fault",
    ];
    assert.deepEqual(decisions(), expected);
  });

  it("says what is otherwise by the settings, without a password", () => {
    const said = decisions({
      PROCESSES: "2",
      TOKENIZERS_PARALLELISM: "true",
      BACKEND: "triton,embedded",
      TRITON_URL: "one:8001,two:8001",
      ENABLE_GPU: "true",
      ASYNC_PROCESSING: "false",
      MEMORY_OPTIMIZATION: "false",
      REDIS_URL: "redis://user:s3cret@cache",
      CACHE_FILE: "answers.cache",
      BROWN_OUT_MS: "250",
      API_KEYS_FILE: "keys.json",
      JWT_JWKS: "https://issuer.example/keys?s3cret",
      JWT_ISSUER: "https://issuer.example",
      JWT_AUDIENCE: "sentiment",
      TOKENS_PER_MINUTE: "600",
      QUOTA_MODE: "shadow",
      TLS_CERT: "server.pem",
      TLS_KEY: "server.key",
    });
    for (const part of [
      "processes: 2 behind one port",
      "reading: long texts in 1 threads of their own (TOKENIZERS_PARALLELISM=true)",
      "Triton at one:8001, two:8001; where that is down: onnxruntime in this process, with a GPU",
      "each text alone",
      "memory: not watched",
      "Redis at redis://cache (REDIS_URL), answers.cache from run to run",
      "fast in place of others from 250 ms of waiting on",
      "transport: TLS with server.pem (TLS_CERT), from any client (TLS_CLIENT_CA is unset), 1",
      "keys: asked for, those of keys.json (API_KEYS_FILE) or tokens of https://issuer.example for sentiment (",
      "quotas: 600 tokens a minute for each key that says nothing else (TOKENS_PER_MINUTE)",
      "; only counted (QUOTA_MODE=shadow)",
    ])
      assert.ok(said.join("\n").includes(part), part);
    assert.doesNotMatch(said.join(), /s3cret/);
    const mutual = { TLS_CERT: "c", TLS_KEY: "k", TLS_CLIENT_CA: "ca.pem" };
    assert.match(
      decisions(mutual).join(),
      /only from clients with a certificate of ca.pem \(TLS_CLIENT_CA\)/,
    );
    assert.ok(
      decisions({ ENABLE_CACHING: "false" }).includes("caches: none (ENABLE_CACHING=false)"),
    );
  });

  it("leaves to the primary what holds for all processes", () => {
    const said = saidBy({ PREFETCH_MODELS: "false" }, (config, log) =>
      logStart(config, ["fast"], true, log),
    );
    assert.equal(said.length, 1);
    assert.match(said[0] ?? "", /^tiers: fast .* each loaded at its first use/);
  });
});
