import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { createChannel } from "nice-grpc";
import { CacheTier } from "../../server/gen/sentiment/v1/sentiment.js";
import { Load, OWN_CONNECTION } from "../support/counted-load.js";
import { Own } from "../support/own-counts.js";
import { type RepositoryCopy, repositoryCopy } from "../support/repository-copy.js";
import { countsOf, scrape } from "../support/scrape.js";
import { startServer } from "../support/server-process.js";

const { CACHE_TIER_MEMORY: MEMORY, CACHE_TIER_NONE: NONE } = CacheTier;
const ANALYZE = 'method="Analyze",endpoint="sentiment.v1.SentimentService"';

describe("the counters of a running server", function () {
  this.timeout(60_000);
  let repository: RepositoryCopy;
  before(async () => {
    repository = await repositoryCopy("fast");
  });
  after(() => repository[Symbol.asyncDispose]());

  for (const processes of [1, 2]) {
    it(`are what its clients have seen, with ${processes} process(es)`, async () => {
      await using server = await startServer({
        PROCESSES: String(processes),
        MODEL_REPOSITORY: repository.folder,
        DEFAULT_TIER: "fast",
        WARM_UP_FILE: "/dev/null",
      });
      const own = new Own();
      const channels = [1, 2].map(() => createChannel(server.address, undefined, OWN_CONNECTION));
      const loads = channels.map((channel, number) => new Load(own, server, channel, `${number}`));
      const [first, second] = [await loads[0]?.shared(), await loads[1]?.shared()];
      // Connections are dealt out in turn: the second client's is another process's, with caches of its own.
      assert.deepEqual([first, second], [NONE, processes === 1 ? MEMORY : NONE]);
      for (const load of loads) await load.all();
      for (const channel of channels) channel.close();
      // Of less than its first second a server tells no share of the CPUs.
      await sleep(1000);
      const samples = await scrape(server.opsAddress);
      assert.deepEqual(countsOf(samples, "sentiment_requests_total"), own.requests);
      assert.deepEqual(countsOf(samples, "sentiment_texts_total"), own.texts);
      assert.deepEqual(countsOf(samples, "sentiment_cache_lookups_total"), own.lookups);
      assert.deepEqual(countsOf(samples, "sentiment_label_total"), own.labels);
      assert.deepEqual(samples.get("sentiment_requests_in_flight"), 0);
      const analyzed = Object.entries(own.requests).filter(([key]) => key.startsWith("Analyze "));
      assert.equal(
        samples.get(`sentiment_request_duration_seconds_count{${ANALYZE}}`),
        analyzed.reduce((sum, [, count]) => sum + count, 0),
      );
      assert.deepEqual(countsOf(samples, "sentiment_shed_total"), {});
      assert.equal(samples.get("sentiment_memory_limit_bytes"), 4 * 2 ** 30);
      assert.deepEqual(Object.values(countsOf(samples, "sentiment_build_info")), [1]);
      assert.deepEqual(countsOf(samples, "sentiment_queue_rows"), {});
      assert.ok((samples.get("sentiment_cpu_usage_percent") ?? 0) > 0);
    });
  }
});
