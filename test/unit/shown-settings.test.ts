import assert from "node:assert/strict";
import { loadConfig } from "../../server/config.js";
import { Settings } from "../../server/settings.js";
import { withoutSecrets } from "../../server/shown-settings.js";

const shown = (env: Readonly<Record<string, string>> = {}) => loadConfig(env).shown;

describe("settings that are shown", () => {
  it("are all of them, as given or by default", () => {
    const all = shown({ MEMORY_LIMIT: "1.5GiB", BATCH_SIZE: "16", LOG_LEVEL: "" });
    assert.deepEqual(Object.keys(all), Object.keys(Settings.shape));
    assert.equal(all["MEMORY_LIMIT"], "1.5GiB");
    assert.equal(all["BATCH_SIZE"], "16");
    assert.equal(all["LOG_LEVEL"], "info");
    assert.equal(all["ENABLE_CACHING"], "true");
    assert.equal(all["TRITON_URL"], "127.0.0.1:8001");
    assert.equal(all["REDIS_URL"], null);
  });

  it("are settings of ours alone", () => {
    assert.equal(shown({ AWS_SECRET_ACCESS_KEY: "s3cret" })["AWS_SECRET_ACCESS_KEY"], undefined);
  });

  it("tell the file with the keys, which holds only hashes", () => {
    assert.equal(shown({ API_KEYS_FILE: "/etc/keys.json" })["API_KEYS_FILE"], "/etc/keys.json");
  });

  for (const [url, safe] of [
    ["redis://cache:6379/1", "redis://cache:6379/1"],
    ["redis://user:s3cret@cache", "redis://***@cache"],
    ["rediss-cluster://:s3cret@a,b", "rediss-cluster://***@a,b"],
    ["redis://user:s3@cr/et@cache", "redis://***@cache"],
    ["redis://user:s3c\nret@cache", "redis://***@cache"],
    ["user:s3cret@cache", "***@cache"],
    ["redis://cache?password=s3cret", "redis://cache?***"],
  ] as const) {
    it(`show ${JSON.stringify(url)} without its password, also where it is a wrong one`, () => {
      assert.equal(withoutSecrets("REDIS_URL", url), safe);
    });
  }

  it("hide a password in a URL that stands where none belongs", () => {
    assert.equal(
      shown({ CACHE_FILE: "http://u:s3cret@host/x" })["CACHE_FILE"],
      "http://***@host/x",
    );
    assert.equal(shown({ CACHE_FILE: "/models@v2" })["CACHE_FILE"], "/models@v2");
  });
});
