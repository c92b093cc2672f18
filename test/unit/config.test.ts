import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../../server/config.js";
import { StartupError } from "../../server/core/errors.js";
import { Settings } from "../../server/settings.js";

const CPUS = 8;
const load = (env: Readonly<Record<string, string | undefined>>, cpus = CPUS) =>
  loadConfig(env, cpus);
/** The faults that the message names, one a line. */
function faultsOf(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  try {
    load(env);
  } catch (error) {
    assert.ok(error instanceof StartupError, String(error));
    const [head, ...faults] = error.message.split("\n  ");
    assert.equal(head, "bad settings:");
    return faults;
  }
  return [];
}

describe("loadConfig", () => {
  it("needs no setting", () => {
    const { shown: _, ...config } = load({});
    assert.deepEqual(config, {
      processes: 1,
      cpus: CPUS,
      grpcPort: 50051,
      httpPort: 9464,
      bindAddress: "127.0.0.1",
      backends: ["embedded"],
      tritonUrls: ["127.0.0.1:8001"],
      gpu: false,
      cache: {
        maxEntries: 10_000,
        ttlMs: 3_600_000,
        redisUrl: undefined,
        file: undefined,
        warmUpFile: undefined,
        aggressive: false,
      },
      memory: { processBytes: 4 * 2 ** 30, modelBytes: 2 * 2 ** 30 },
      memoryLimitBytes: 4 * 2 ** 30,
      modelRepository: "triton-model-repo",
      defaultTier: "balanced",
      workers: 4,
      readingThreads: 0,
      intraOpThreads: 2,
      takesAllCores: true,
      batchRows: 32,
      batchMinRows: 8,
      batchMaxRows: 128,
      maxTextLength: 10_000,
      maxBatchTexts: 100,
      requestTimeoutMs: 30_000,
      streamIdleMs: 300_000,
      maxConnections: 10_000,
      maxConcurrentStreams: 1000,
      maxStreams: 10_000,
      maxRequestBytes: 268_435_456,
      connectionAgeMs: undefined,
      connectionIdleMs: undefined,
      keepaliveMs: 60_000,
      keepaliveLimitMs: 20_000,
      tls: undefined,
      watchdogSeconds: 60,
      prefetchModels: true,
      batchPolicy: "cost",
      queueTimeoutMs: 5000,
      brownOutMs: undefined,
      apiKeysFile: undefined,
      jwt: undefined,
      quota: {
        tokensPerMinute: undefined,
        weights: { fast: 1, balanced: 2, accurate: 10 },
        enforces: true,
        redisUrl: undefined,
      },
      profileDir: join(tmpdir(), "sentiment-profiles"),
      logLevel: "info",
      callLog: { sample: 0.01, slowMs: 1000 },
    });
  });

  it("reads every setting", () => {
    const env = {
      GRPC_PORT: "0",
      HTTP_PORT: "8000",
      BIND_ADDRESS: "0.0.0.0",
      BACKEND: "triton,embedded",
      TRITON_URL: "one:8001, [::1]:8001",
      MODEL_REPOSITORY: "/models",
      DEFAULT_TIER: "fast",
      MAX_WORKERS: "2",
      PROCESSES: "1",
      BATCH_SIZE: "16",
      BATCH_SIZE_MIN: "4",
      BATCH_SIZE_MAX: "64",
      BATCH_POLICY: "guide",
      QUEUE_TIMEOUT: "0.25",
      BROWN_OUT_MS: "250",
      MAX_INPUT_LENGTH: "500",
      MAX_BATCH_SIZE: "10",
      REQUEST_TIMEOUT: "5",
      STREAM_IDLE_TIMEOUT: "60",
      MAX_CONNECTIONS: "100",
      MAX_CONCURRENT_STREAMS: "50",
      MAX_STREAMS: "200",
      MAX_REQUEST_MEMORY: "64",
      KEEPALIVE_TIME: "30",
      KEEPALIVE_TIMEOUT: "10",
      MAX_CONNECTION_IDLE: "600",
      MAX_CONNECTION_AGE: "300",
      WATCHDOG_SECONDS: "0",
      ENABLE_CACHING: "true",
      RESULT_CACHE_SIZE: "500",
      CACHE_TTL: "60",
      REDIS_URL: "redis://cache",
      CACHE_FILE: "answers.cache",
      WARM_UP_FILE: "texts.txt",
      AGGRESSIVE_CACHING: "true",
      MODEL_CACHE_SIZE: "512m",
      MEMORY_LIMIT: "1.5GiB",
      MEMORY_OPTIMIZATION: "true",
      ENABLE_GPU: "true",
      PREFETCH_MODELS: "false",
      ASYNC_PROCESSING: "false",
      OMP_NUM_THREADS: "6",
      TOKENIZERS_PARALLELISM: "true",
      API_KEYS_FILE: "keys.json",
      JWT_JWKS: "https://issuer.example/keys",
      JWT_ISSUER: "https://issuer.example",
      JWT_AUDIENCE: "sentiment",
      TOKENS_PER_MINUTE: "5000",
      QUOTA_WEIGHTS: "fast=0.5,balanced=3,accurate=12.25",
      QUOTA_MODE: "shadow",
      TLS_CERT: "server.pem",
      TLS_KEY: "server.key",
      TLS_CLIENT_CA: "ca.pem",
      PROFILE_DIR: "/profiles",
      LOG_LEVEL: "debug",
      LOG_SAMPLE: "0.5",
      SLOW_CALL_MS: "200",
    };
    assert.deepEqual(Object.keys(env), Object.keys(Settings.shape));
    const { shown: _, ...config } = load(env);
    assert.deepEqual(config, {
      processes: 1,
      cpus: CPUS,
      grpcPort: 0,
      httpPort: 8000,
      bindAddress: "0.0.0.0",
      backends: ["triton", "embedded"],
      tritonUrls: ["one:8001", "[::1]:8001"],
      gpu: true,
      cache: {
        maxEntries: 500,
        ttlMs: 60_000,
        redisUrl: "redis://cache",
        file: "answers.cache",
        warmUpFile: "texts.txt",
        aggressive: true,
      },
      memory: { processBytes: 1.5 * 2 ** 30, modelBytes: 512 * 2 ** 20 },
      memoryLimitBytes: 1.5 * 2 ** 30,
      modelRepository: "/models",
      defaultTier: "fast",
      workers: 2,
      readingThreads: 2,
      intraOpThreads: 3,
      takesAllCores: false,
      batchRows: 16,
      batchMinRows: 4,
      batchMaxRows: 64,
      maxTextLength: 500,
      maxBatchTexts: 10,
      requestTimeoutMs: 5000,
      streamIdleMs: 60_000,
      maxConnections: 100,
      maxConcurrentStreams: 50,
      maxStreams: 200,
      maxRequestBytes: 67_108_864,
      connectionAgeMs: 300_000,
      connectionIdleMs: 600_000,
      keepaliveMs: 30_000,
      keepaliveLimitMs: 10_000,
      tls: { cert: "server.pem", key: "server.key", clientCa: "ca.pem" },
      watchdogSeconds: 0,
      prefetchModels: false,
      batchPolicy: "single",
      queueTimeoutMs: 250,
      brownOutMs: 250,
      apiKeysFile: "keys.json",
      jwt: {
        keySet: new URL("https://issuer.example/keys"),
        issuer: "https://issuer.example",
        audience: "sentiment",
      },
      quota: {
        tokensPerMinute: 5000,
        weights: { fast: 0.5, balanced: 3, accurate: 12.25 },
        enforces: false,
        redisUrl: "redis://cache",
      },
      profileDir: "/profiles",
      logLevel: "debug",
      callLog: { sample: 0.5, slowMs: 200 },
    });
  });

  it("shares out among the processes what they have together, with a thread for each", () => {
    const shared = (env: Readonly<Record<string, string>>, cpus = CPUS) => {
      const { workers, intraOpThreads, memory, readingThreads } = load(env, cpus);
      assert.equal(readingThreads, workers);
      return [workers, intraOpThreads, memory?.processBytes, memory?.modelBytes];
    };
    const gigabyte = 2 ** 30;
    const env = {
      PROCESSES: "2",
      MEMORY_LIMIT: "4g",
      MODEL_CACHE_SIZE: "2g",
      MAX_WORKERS: "8",
      TOKENIZERS_PARALLELISM: "true",
    };
    assert.deepEqual(shared(env), [4, 1, 2 * gigabyte, gigabyte]);
    assert.deepEqual(shared({ ...env, MAX_WORKERS: "3" }), [1, 4, 2 * gigabyte, gigabyte]);
    assert.deepEqual(shared({ ...env, OMP_NUM_THREADS: "32" }), [4, 4, 2 * gigabyte, gigabyte]);
    assert.deepEqual(shared({ ...env, PROCESSES: "4" }, 2), [1, 1, gigabyte, gigabyte / 2]);
  });

  it("watches no memory where it is told not to", () => {
    assert.equal(load({ MEMORY_OPTIMIZATION: "false" }).memory, undefined);
  });

  it("describes every setting, for the table that is made of it", () => {
    for (const [name, setting] of Object.entries(Settings.shape)) {
      assert.ok(setting.description, name);
    }
  });

  it("takes an empty value as none", () => {
    const names = [...Object.keys(Settings.shape), "REDIS_URL"];
    const empty = Object.fromEntries(names.map((name) => [name, ""]));
    const unset = Object.fromEntries(names.map((name) => [name, undefined]));
    assert.deepEqual(load(empty), load({}));
    assert.deepEqual(load(unset), load({}));
  });

  it("pays no heed to what is not its own", () => {
    assert.deepEqual(load({ PATH: "/bin", HOME: "/", NO_SUCH_SETTING: "1" }), load({}));
  });

  describe("a size", () => {
    for (const [text, bytes] of [
      ["1048576", 2 ** 20],
      ["1048576b", 2 ** 20],
      ["2GB", 2 ** 31],
      ["2 GiB", 2 ** 31],
      ["4g", 2 ** 32],
      ["512m", 2 ** 29],
      ["512MB", 2 ** 29],
      ["0.5G", 2 ** 29],
      ["2048K", 2 ** 21],
    ] as const) {
      it(`of ${text} is ${bytes} bytes`, () => {
        assert.equal(load({ MEMORY_LIMIT: text }).memory?.processBytes, bytes);
        assert.equal(load({ MODEL_CACHE_SIZE: text }).memory?.modelBytes, bytes);
      });
    }

    for (const text of ["2TB", "-1g", "1,5g", "g", ".5g", "2  g", " 2g", "1e9", "2gg"]) {
      it(`is not ${JSON.stringify(text)}`, () => {
        assert.deepEqual(faultsOf({ MEMORY_LIMIT: text }), [
          `MEMORY_LIMIT: must be a size such as 512m, 2GB or 4g (is "${text}")`,
        ]);
      });
    }

    it("is of no use with MEMORY_OPTIMIZATION=false", () => {
      assert.equal(load({ MEMORY_LIMIT: "2g", MEMORY_OPTIMIZATION: "false" }).memory, undefined);
    });
  });

  describe("faults", () => {
    const cases: readonly (readonly [name: string, value: string, fault: string])[] = [
      ["GRPC_PORT", "http", "must be a whole number"],
      ["GRPC_PORT", "-1", "must be a whole number"],
      ["GRPC_PORT", "80.5", "must be a whole number"],
      ["GRPC_PORT", " 80", "must be a whole number"],
      ["GRPC_PORT", "1e3", "must be a whole number"],
      ["GRPC_PORT", "0x50", "must be a whole number"],
      ["GRPC_PORT", "65536", "Too big: expected number to be <=65535"],
      ["HTTP_PORT", "65536", "Too big: expected number to be <=65535"],
      ["MAX_WORKERS", "0", "Too small: expected number to be >=1"],
      ["MAX_WORKERS", "257", "Too big: expected number to be <=256"],
      ["MAX_BATCH_SIZE", "99999999999999999999", "Too big: expected number to be <=10000"],
      ["BATCH_SIZE", "0", "Too small: expected number to be >=1"],
      ["REQUEST_TIMEOUT", "0", "Too small: expected number to be >=1"],
      ["REQUEST_TIMEOUT", "3601", "Too big: expected number to be <=3600"],
      ["OMP_NUM_THREADS", "0", "Too small: expected number to be >=1"],
      [
        "BACKEND",
        "embedded,triton",
        'Invalid option: expected one of "embedded"|"triton"|"triton,embedded"',
      ],
      ["TRITON_URL", "triton", "must be host:port of Triton's gRPC, several with commas"],
      [
        "TRITON_URL",
        "http://triton:8001",
        "must be host:port of Triton's gRPC, several with commas",
      ],
      ["MEMORY_LIMIT", "4 gigs", "must be a size such as 512m, 2GB or 4g"],
      ["MODEL_CACHE_SIZE", "10k", "Too small: expected number to be >=1048576"],
      ["TOKENS_PER_MINUTE", "-1", "must be a whole number"],
      ["QUOTA_MODE", "off", 'Invalid option: expected one of "enforce"|"shadow"'],
      ...[
        "fast=1",
        "fast=1,balanced=2",
        "fast=-1,balanced=2,accurate=3",
        "balanced=2,fast=1,accurate=3",
        "fast=1,balanced=2,accurate=1e9",
      ].map(
        (value) =>
          [
            "QUOTA_WEIGHTS",
            value,
            "must be a number for each tier, such as fast=1,balanced=2,accurate=10",
          ] as const,
      ),
      ["DEFAULT_TIER", "auto", 'Invalid option: expected one of "fast"|"balanced"|"accurate"'],
      ["DEFAULT_TIER", "FAST", 'Invalid option: expected one of "fast"|"balanced"|"accurate"'],
      ["PREFETCH_MODELS", "yes", 'Invalid option: expected one of "true"|"false"'],
      ["ASYNC_PROCESSING", "1", 'Invalid option: expected one of "true"|"false"'],
      [
        "LOG_LEVEL",
        "verbose",
        'Invalid option: expected one of "trace"|"debug"|"info"|"warn"|"error"|"fatal"',
      ],
    ];
    for (const [name, value, fault] of cases) {
      it(`name ${name} and its value ${JSON.stringify(value)}`, () => {
        assert.deepEqual(faultsOf({ [name]: value }), [`${name}: ${fault} (is "${value}")`]);
      });
    }

    it("do not repeat a password", () => {
      const [fault = ""] = faultsOf({ TRITON_URL: "grpc://user:s3cret@triton:8001" });
      assert.match(fault, /^TRITON_URL: must be host:port .*\(is "grpc:\/\/\*\*\*@triton:8001"\)$/);
    });

    it("are all told at once", () => {
      const faults = faultsOf({
        GRPC_PORT: "x",
        MAX_WORKERS: "0",
        LOG_LEVEL: "loud",
        TLS_KEY: "k",
      });
      assert.deepEqual(
        faults.map((fault) => fault.split(":")[0]),
        ["GRPC_PORT", "MAX_WORKERS", "LOG_LEVEL", "TLS_CERT"],
      );
    });

    it("are told beside those of addresses, which do not show what may be a password", () => {
      process.env["OTEL_EXPORTER_OTLP_ENDPOINT"] = "user:s3cret@collector";
      try {
        assert.deepEqual(faultsOf({ BATCH_SIZE: "x", REDIS_URL: "http://user:s3cret@cache" }), [
          'BATCH_SIZE: must be a whole number (is "x")',
          "REDIS_URL: must be redis:// or rediss://, [user:password@], host:port, [/database]",
          "OTEL_EXPORTER_OTLP_ENDPOINT: must be an address, as http://collector:4318 (https:// with TLS)",
        ]);
      } finally {
        delete process.env["OTEL_EXPORTER_OTLP_ENDPOINT"];
      }
    });

    it("name values beyond a limit, not those that meet it", () => {
      assert.deepEqual(
        faultsOf({ GRPC_PORT: "65535", MAX_WORKERS: "256", BATCH_SIZE_MIN: "1" }),
        [],
      );
    });

    it("name what tokens need besides, whichever of the settings is there", () => {
      const jwt = { JWT_JWKS: "jwks.json", JWT_ISSUER: "me", JWT_AUDIENCE: "you" };
      assert.deepEqual(faultsOf(jwt), []);
      for (const name of Object.keys(jwt)) {
        const others = Object.keys(jwt).filter((other) => other !== name);
        assert.deepEqual(
          faultsOf({ ...jwt, [name]: "" }).map((fault) => fault.split(":")[0]),
          [name],
        );
        const alone = faultsOf({ [name]: "https://one.example" });
        assert.deepEqual(
          alone.map((fault) => fault.split(":")[0]),
          others,
        );
      }
    });

    for (const [place, good] of [
      ["https://issuer.example/.well-known/jwks.json", true],
      ["http://127.0.0.1:8080/jwks", true],
      ["http://localhost/jwks", true],
      ["http://[::1]:8080/jwks", true],
      ["/etc/jwks.json", true],
      ["http://issuer.example/jwks", false],
      ["http://127.0.0.1.issuer.example/jwks", false],
      ["https://user:secret@issuer.example/jwks", false],
      ["https://", false],
      ["ftp://issuer.example/jwks", false],
      ["file:///etc/jwks.json", false],
    ] as const) {
      it(`${good ? "take" : "name"} a key set at ${place}`, () => {
        const faults = faultsOf({ JWT_JWKS: place, JWT_ISSUER: "me", JWT_AUDIENCE: "you" });
        assert.equal(faults.length, good ? 0 : 1);
        for (const fault of faults) assert.match(fault, /^JWT_JWKS: must be a URL by https/);
        assert.doesNotMatch(faults.join(), /secret/);
      });
    }

    it("name ports that are the same, other than two free ones", () => {
      assert.deepEqual(faultsOf({ GRPC_PORT: "9464" }), [
        "HTTP_PORT: must not be that of GRPC_PORT",
      ]);
      assert.deepEqual(faultsOf({ GRPC_PORT: "0", HTTP_PORT: "0" }), []);
    });

    it("name a least batch that is over the largest", () => {
      const sizes = (least: string, usual: string, most: string) =>
        faultsOf({ BATCH_SIZE_MIN: least, BATCH_SIZE: usual, BATCH_SIZE_MAX: most });
      assert.deepEqual(sizes("33", "32", "64"), ["BATCH_SIZE_MIN: must not be over BATCH_SIZE"]);
      assert.deepEqual(sizes("8", "65", "64"), ["BATCH_SIZE: must not be over BATCH_SIZE_MAX"]);
      assert.equal(sizes("9", "8", "7").length, 2);
      assert.deepEqual(faultsOf({ BATCH_SIZE: "512" }), [
        "BATCH_SIZE: must not be over BATCH_SIZE_MAX",
      ]);
      assert.deepEqual(sizes("64", "64", "64"), []);
    });

    it("name what does not go together beside a value that is none, but only what that value has no part in", () => {
      const names = (env: Readonly<Record<string, string>>) =>
        faultsOf(env).map((fault) => fault.split(":")[0]);
      assert.deepEqual(
        names({ LOG_LEVEL: "loud", BATCH_SIZE_MIN: "33", HTTP_PORT: "50051", JWT_ISSUER: "me" }),
        ["LOG_LEVEL", "HTTP_PORT", "BATCH_SIZE_MIN", "JWT_JWKS", "JWT_AUDIENCE"],
      );
      assert.deepEqual(names({ GRPC_PORT: "x", HTTP_PORT: "50051" }), ["GRPC_PORT"]);
      assert.deepEqual(names({ BATCH_SIZE: "x", BATCH_SIZE_MIN: "33" }), ["BATCH_SIZE"]);
    });

    it("name what TLS lacks of its settings: who sets one of them counts on being protected", () => {
      const pair = { TLS_CERT: "c", TLS_KEY: "k" };
      assert.deepEqual(faultsOf({ TLS_CERT: "c" }), [
        "TLS_KEY: must be set too, since TLS_CERT is",
      ]);
      assert.deepEqual(faultsOf({ TLS_KEY: "k", TLS_CLIENT_CA: "a" }), [
        "TLS_CERT: must be set too, since TLS_KEY and TLS_CLIENT_CA are",
      ]);
      assert.deepEqual(faultsOf({ TLS_CLIENT_CA: "a" }), [
        "TLS_CERT: must be set too, since TLS_CLIENT_CA is",
        "TLS_KEY: must be set too, since TLS_CLIENT_CA is",
      ]);
      assert.deepEqual(faultsOf(pair), []);
      assert.deepEqual(load(pair).tls, { cert: "c", key: "k", clientCa: undefined });
    });
  });

  describe("threads", () => {
    const cases: readonly (readonly [
      env: Readonly<Record<string, string>>,
      cpus: number,
      workers: number,
      intraOpThreads: number,
    ])[] = [
      [{}, 1, 1, 1],
      [{}, 4, 4, 1],
      [{}, 16, 4, 4],
      [{}, 15, 4, 3],
      [{ MAX_WORKERS: "64" }, 8, 8, 1],
      [{ MAX_WORKERS: "3" }, 2, 2, 1],
      [{ MAX_WORKERS: "1" }, 8, 1, 8],
      [{ OMP_NUM_THREADS: "8" }, 4, 4, 2],
      [{ OMP_NUM_THREADS: "7" }, 4, 4, 1],
      [{ OMP_NUM_THREADS: "1" }, 16, 4, 1],
      [{ OMP_NUM_THREADS: "12", MAX_WORKERS: "2" }, 16, 2, 6],
    ];
    for (const [env, cpus, workers, intraOpThreads] of cases) {
      it(`${JSON.stringify(env)} on ${cpus} CPUs: ${workers} workers of ${intraOpThreads}`, () => {
        const config = load(env, cpus);
        assert.deepEqual([config.workers, config.intraOpThreads], [workers, intraOpThreads]);
      });
    }

    it("take all cores where they are as many, with those of the other processes, but on a GPU", () => {
      const takes = (env: Readonly<Record<string, string>>, cpus: number) =>
        load(env, cpus).takesAllCores;
      assert.equal(takes({}, 2), true);
      assert.equal(takes({}, 15), false);
      assert.equal(takes({ MAX_WORKERS: "1", OMP_NUM_THREADS: "1" }, 2), false);
      assert.equal(takes({ PROCESSES: "2" }, 2), true);
      assert.equal(takes({ ENABLE_GPU: "true" }, 2), false);
    });

    it("count the CPUs of the machine where nothing else is said", () => {
      assert.ok(loadConfig({}).workers >= 1);
    });
  });
});
