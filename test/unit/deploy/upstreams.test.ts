import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";

const OWN = "deploy/docker/nginx-upstreams.conf";

const upstreamsOf = (file: string): readonly string[] =>
  [...readFileSync(file, "utf8").matchAll(/^upstream (\w+) \{/gm)]
    .map(([, name = ""]) => name)
    .toSorted();

describe("nginx in front of containers", () => {
  it("has the servers that compose.yaml names", () => {
    const servers = [...readFileSync(OWN, "utf8").matchAll(/^ +server (\S+) resolve /gm)];
    const places = new Set(servers.map(([, place]) => place));
    assert.deepEqual(places, new Set(["sentiment:50051", "gateway:8080"]));
  });

  for (const file of globSync("deploy/nginx/upstreams.conf"))
    it(`has all that ${file} has, which it is mounted in place of`, () =>
      assert.deepEqual(upstreamsOf(OWN), upstreamsOf(file)));
});
