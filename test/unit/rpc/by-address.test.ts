import assert from "node:assert/strict";
import { byAddress, networkOf } from "../../../server/rpc/by-address.js";

describe("the holder of calls without keys", () => {
  for (const [peer, network] of [
    ["192.0.2.7:50123", "192.0.2.7"],
    ["::ffff:192.0.2.7:50123", "192.0.2.7"],
    ["2001:db8:1:2:3:4:5:6:50123", "2001:db8:1:2::/64"],
    ["2001:db8:1:2:ffff:0:0:1:1", "2001:db8:1:2::/64"],
    ["2001:db8::1:50123", "2001:db8:0:0::/64"],
    ["2001:DB8::1:50123", "2001:db8:0:0::/64"],
    ["2001:db8:a:b::50123", "2001:db8:a:b::/64"],
    ["::1:50123", "0:0:0:0::/64"],
    ["fe80::1%eth0:50123", "fe80:0:0:0::/64"],
    ["64:ff9b::192.0.2.7:50123", "64:ff9b:0:0::/64"],
    ["unknown", "unknown"],
    ["unix:/run/sentiment.sock", "unknown"],
    ["", "unknown"],
  ] as const)
    it(`is ${network} for ${peer || "nothing"}`, () => assert.equal(networkOf(peer), network));

  it("has no quota of its own", () => {
    const holder = byAddress(undefined as never, "", "192.0.2.7:50123");
    assert.deepEqual(holder, { name: "192.0.2.7" });
  });
});
