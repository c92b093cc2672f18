import { z } from "zod";
import { ACCESS_SETTINGS } from "./access-settings.js";
import { TIERS } from "./core/tiers.js";
import { decimal, flag, size, whole } from "./setting-kinds.js";

const HOST_PORT = /^(\[[0-9a-f:]+\]|[^\s:,/]+):\d{1,5}$/i;

/** Every setting, in the order of the README's table, which is made from the descriptions. */
export const Settings = z.object({
  GRPC_PORT: whole(0, 65535)
    .default(50051)
    .describe("port of gRPC; 0 takes a free one, and the log tells which"),
  HTTP_PORT: whole(0, 65535)
    .default(9464)
    .describe(
      "port of /metrics, /livez, /readyz and /status; 0 takes a free one, and the log tells which",
    ),
  BIND_ADDRESS: z
    .string()
    .min(1)
    .default("127.0.0.1")
    .describe("address to listen on; images and charts set 0.0.0.0"),
  BACKEND: z
    .enum(["embedded", "triton", "triton,embedded"])
    .default("embedded")
    .describe(
      "what runs the models: `embedded` is onnxruntime inside the server, `triton` a Triton server; `triton,embedded`: the server itself where Triton is down",
    ),
  TRITON_URL: z
    .string()
    .default("127.0.0.1:8001")
    .transform((text) => text.split(",").map((url) => url.trim()))
    .pipe(
      z.array(
        z.string().regex(HOST_PORT, "must be host:port of Triton's gRPC, several with commas"),
      ),
    )
    .describe("Triton's gRPC, host:port; several with commas: batches go to those that answer"),
  MODEL_REPOSITORY: z
    .string()
    .min(1)
    .default("triton-model-repo")
    .describe("folder with the models, in Triton's layout"),
  DEFAULT_TIER: z.enum(TIERS).default("balanced").describe("tier of a request that names none"),
  MAX_WORKERS: whole(1, 256)
    .default(4)
    .describe(
      "inference threads, of all PROCESSES together but at least one each; never more than the CPUs that the process may use; those of a process share the weights of its models",
    ),
  PROCESSES: whole(1, 64)
    .default(1)
    .describe(
      "server processes behind the port, each with its part of MAX_WORKERS, OMP_NUM_THREADS, MEMORY_LIMIT and MODEL_CACHE_SIZE, and with all the models and caches; connections are dealt out to them in turn",
    ),
  BATCH_SIZE: whole(1, 1024)
    .default(32)
    .describe(
      "with `guide`: rows of a batch while 10 to 100 texts wait; with `fifo`: rows of a batch",
    ),
  BATCH_SIZE_MIN: whole(1, 1024)
    .default(8)
    .describe("with `guide`: rows of a batch while fewer than 10 texts wait"),
  BATCH_SIZE_MAX: whole(1, 1024)
    .default(128)
    .describe(
      "most rows of a batch; with `guide` over 100 waiting texts it is a quarter of them, up to this",
    ),
  BATCH_POLICY: z
    .enum(["cost", "guide", "fifo"])
    .default("cost")
    .describe(
      "what goes into a batch: `cost`: rows of near-equal length where padding costs the model anything, as many as pay by what a batch costs, a part for each free worker; `guide`: rows of near-equal length, BATCH_SIZE and its bounds by the queue; `fifo`: BATCH_SIZE rows as they came, for comparison",
    ),
  QUEUE_TIMEOUT: decimal(0.01, 3600)
    .default(5)
    .describe(
      "longest wait in the queue, in seconds (`0.2`), by estimate. A call that would wait longer, or miss its deadline, is refused at once with OVERLOADED. For some seconds after so are calls of its key that have about as long as it or less, and would wait for over 15 % of their time (0.15 at least)",
    ),
  BROWN_OUT_MS: whole(0, 3_600_000)
    .default(0)
    .describe(
      "milliseconds; while a text would wait longer than that for balanced or accurate, fast answers in place of balanced and of the cascade, and the reply says so; 0: never",
    ),
  MAX_INPUT_LENGTH: whole(1, 1_000_000).default(10_000).describe("code points of one text"),
  MAX_BATCH_SIZE: whole(1, 10_000).default(100).describe("texts of one AnalyzeBatch"),
  REQUEST_TIMEOUT: whole(1, 3600)
    .default(30)
    .describe(
      "seconds that a call (of a stream: a text) may take, whatever deadline the client sent",
    ),
  STREAM_IDLE_TIMEOUT: whole(0, 86_400)
    .default(300)
    .describe(
      "seconds that a client may send nothing on a stream that has nothing under way, or take none of the answers of a call; it is ended then; 0: for ever",
    ),
  MAX_CONNECTIONS: whole(1, 1_000_000)
    .default(10_000)
    .describe("connections to each process; those beyond are closed at once"),
  MAX_CONCURRENT_STREAMS: whole(1, 1_000_000)
    .default(1000)
    .describe("calls under way on one connection; clients of gRPC keep back those beyond"),
  MAX_STREAMS: whole(1, 1_000_000)
    .default(10_000)
    .describe(
      "streams of texts under way in each process; those beyond are refused with OVERLOADED, and of the last tenth those of keys that have more than an even part of them; one whose reader has stopped takes about 300 kB until STREAM_IDLE_TIMEOUT",
    ),
  MAX_REQUEST_MEMORY: whole(1, 1_000_000)
    .default(256)
    .describe(
      "MB that requests and answers under way may take in each process: requests that have come, also in part, and are not answered (of a stream: not begun with), at twice their bytes; single answers that their clients have not taken; words and sentences of answers until they are sent. Never less than two of the largest requests take. Beyond it calls are refused with OVERLOADED on connections that have more than an even part, beyond twice as much on all",
    ),
  KEEPALIVE_TIME: whole(1, 86_400)
    .default(60)
    .describe(
      "seconds from one HTTP/2 ping to the next on each connection, so that clients that have vanished are noticed",
    ),
  KEEPALIVE_TIMEOUT: whole(1, 3600)
    .default(20)
    .describe(
      "seconds that a client may take to answer such a ping; then its connection is closed",
    ),
  MAX_CONNECTION_IDLE: whole(0, 86_400)
    .default(0)
    .describe("seconds after which a connection without a call is closed; 0: never"),
  MAX_CONNECTION_AGE: whole(0, 86_400)
    .default(0)
    .describe(
      "seconds, give or take a tenth, after which a client is asked to connect anew, so that connections that live long spread over PROCESSES, and over servers; 0: never; a stream is cut off REQUEST_TIMEOUT and 5 seconds later; clients should retry UNAVAILABLE: at full load grpc-js lost no call, grpc-go (ghz, which does not retry) about one a connection that aged, and a grpc-js client that sends keepalive pings loses what is under way at its next ping (grpc-node#3068)",
    ),
  WATCHDOG_SECONDS: whole(0, 86_400)
    .default(60)
    .describe(
      "seconds that the event loop may be stuck before the process ends (SIGKILL), with a line on standard error, to be started anew by whoever supervises it; a heap snapshot of over a gigabyte and a breakpoint of a debugger are longer; 0: never",
    ),
  ENABLE_CACHING: flag
    .default(true)
    .describe("keep answers, and answer equal texts that are under way at the same time once"),
  RESULT_CACHE_SIZE: whole(1, 100_000_000)
    .default(10_000)
    .describe("answers kept in memory; up to 2 kB each on average, else fewer"),
  CACHE_TTL: whole(1, 31_536_000)
    .default(3600)
    .describe("seconds that an answer is kept, give or take a tenth"),
  REDIS_URL: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Redis that servers share answers in (`redis://`, `rediss://`, several hosts for a cluster, `redis-sentinel://`); unset: memory alone",
    ),
  CACHE_FILE: z
    .string()
    .min(1)
    .optional()
    .describe(
      "file that the answers used most (100,000 of each of the two caches in memory at most; hashes, no texts) are kept in from a drain to the next start, for CACHE_TTL; a file for each server, and with several PROCESSES one for each of them: `<file>.1`, `<file>.2`; whoever can write it decides what is answered; unset: none are kept",
    ),
  WARM_UP_FILE: z
    .string()
    .min(1)
    .optional()
    .describe(
      "texts, one a line, that the default tier analyzes after the start, so that calls find them in the caches; with `PREFETCH_MODELS=false` once a call has loaded that tier; unset: `warm-up.txt` in MODEL_REPOSITORY, where there is one; `/dev/null`: none",
    ),
  AGGRESSIVE_CACHING: flag
    .default(false)
    .describe(
      "short ASCII texts that differ only in case and white space are one text where the model's tokenizer cannot tell them apart",
    ),
  MODEL_CACHE_SIZE: size
    .default(2 * 2 ** 30)
    .describe(
      "bytes of model files that are loaded at once (`2GB`, `512m`); the tier used longest ago makes room",
    ),
  MEMORY_LIMIT: size
    .default(4 * 2 ** 30)
    .describe(
      "memory of the process (`4g`); over 80 % of it tiers that are not used are unloaded, and a quarter of the answers in memory is dropped, every 5 seconds",
    ),
  MEMORY_OPTIMIZATION: flag
    .default(true)
    .describe(
      "keep to MODEL_CACHE_SIZE and MEMORY_LIMIT; a tier that was unloaded loads again when it is asked for",
    ),
  ENABLE_GPU: flag
    .default(false)
    .describe(
      "embedded: onnxruntime's TensorRT or CUDA provider; without one the server does not start",
    ),
  PREFETCH_MODELS: flag.default(true).describe("load all tiers at start-up; `false`: at first use"),
  ASYNC_PROCESSING: flag
    .default(true)
    .describe("dynamic batching; `false`: each text alone, for comparison"),
  OMP_NUM_THREADS: whole(1, 256)
    .optional()
    .describe(
      "onnxruntime's threads, shared out over the workers; unset: the CPUs that the process may use",
    ),
  TOKENIZERS_PARALLELISM: flag
    .default(false)
    .describe(
      "read texts of 500 characters and more in threads of their own, as many as inference threads, so that long or hostile ones do not hold the event loop; each takes about 50 MB; what `explain` reads besides, and all texts with `false`, is read on the event loop",
    ),
  ...ACCESS_SETTINGS,
  PROFILE_DIR: z
    .string()
    .min(1)
    .optional()
    .describe(
      "folder that `AdminService.CaptureProfile` writes to, the newest 20 files and 1 GiB at most; heap snapshots hold whatever is in memory, texts and keys among it; unset: `sentiment-profiles` in the system's folder for temporary files",
    ),
  LOG_LEVEL: z
    .enum(["trace", "debug", "info", "warn", "error", "fatal"])
    .default("info")
    .describe("JSON lines on standard output; never a text, never a key"),
  LOG_SAMPLE: z
    .string()
    .regex(/^(0(\.\d+)?|1(\.0+)?)$/, "must be a share from 0 to 1, such as 0.01")
    .transform(Number)
    .default(0.01)
    .describe(
      "share of the calls that get a line in the log at LOG_LEVEL info, 0 to 1; slow ones and those that failed by the server's fault always get one, at debug all do",
    ),
  SLOW_CALL_MS: whole(1, 3_600_000)
    .default(1000)
    .describe("milliseconds from which on a call is slow, and the log tells of it"),
});
