import assert from "node:assert/strict";
import fc from "fast-check";
import { loadConfig } from "../../server/config.js";
import { StartupError } from "../../server/core/errors.js";
import { Settings } from "../../server/settings.js";

const VALUES = [
  ..."|0|1|-1|00|1e9|0x10|1.5|NaN|Infinity|true|TRUE|false|fast|slow|triton|embedded,triton".split(
    "|",
  ),
  ..."1g|1.5 GB|2GiB|999999999999g|k|,|127.0.0.1:1,|[::1]:8001|::|/dev/null|0.01|1.1|65536".split(
    "|",
  ),
  "9".repeat(400),
  " 1",
  "1 ",
  "\0",
  "\ud800",
  "x".repeat(10_000),
];
/** Of fast-check's own strings those of any characters keep 80 MB for the rest of the process. */
const units = fc
  .array(fc.nat(0xffff), { maxLength: 20 })
  .map((codes) => String.fromCharCode(...codes));
const value = fc.oneof(fc.constantFrom(...VALUES), units);
const names = Object.keys(Settings.shape);
const env = fc.dictionary(fc.constantFrom(...names, "__proto__", "TLS_CERT", "HOME"), value, {
  maxKeys: 8,
});

describe("settings of any kind", () => {
  it("are a configuration, or one StartupError that names each that is wrong", () => {
    const read = { good: 0, bad: 0 };
    fc.assert(
      fc.property(env, fc.integer({ min: 1, max: 256 }), (given, cpus) => {
        try {
          const config = loadConfig(given, cpus);
          assert.ok(config.workers >= 1 && config.intraOpThreads >= 1);
          assert.ok(config.batchMinRows <= config.batchRows);
          assert.ok(config.batchRows <= config.batchMaxRows);
          assert.ok(config.requestTimeoutMs >= 1000 && config.grpcPort <= 65_535);
          read.good++;
        } catch (error) {
          assert.ok(error instanceof StartupError, String(error));
          const [head, ...faults] = error.message.split("\n  ");
          assert.equal(head, "bad settings:");
          assert.ok(faults.length > 0);
          read.bad++;
        }
      }),
      { seed: 1, numRuns: 2000 },
    );
    assert.ok(read.good > 100 && read.bad > 100, JSON.stringify(read));
  });
});
