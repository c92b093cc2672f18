import assert from "node:assert/strict";
import { PAGE_POLICY, statusPage } from "../../../server/observe/status-page.js";
import { someStatus } from "../../support/some-status.js";

const ABOUT = {
  version: "1.2.3",
  started: "2026-11-25T10:00:00.000Z",
  settings: { REDIS_URL: null, BIND_ADDRESS: "127.0.0.1" },
};

describe("the page of /status", () => {
  it("tells what the server is and does", () => {
    const page = statusPage({ ...ABOUT, processes: [{ process: 1, ...someStatus() }] });
    for (const part of [
      "Sentiment Analyzer Pro 1.2.3",
      "Started 2026-11-25T10:00:00.000Z.",
      "<td>sentiment_fast</td><td>fast</td><td>1+triton.3fa9c2d1</td><td>3fa9c2d1aabb</td><td>yes</td>",
      "<td>calls should come</td><td>yes</td>",
      "<td>3, of 60 tokens</td>",
      "<td>100 MiB, of 4096 MiB</td>",
      "<td>5 by text, 4 by tokens</td>",
      "<td>redis://cache: up</td>",
      "<td>triton one:8001</td><td>up</td><td>closed</td><td>2</td>",
      "<td>triton two:8001</td><td>down</td><td>open</td><td>0</td>",
      "<td>REDIS_URL</td><td>unset</td>",
      "<td>BIND_ADDRESS</td><td>127.0.0.1</td>",
    ])
      assert.ok(page.includes(part), `${part}\n${page}`);
    assert.ok(!page.includes("<h2>Process"));
  });

  it("tells of each of several processes, also of one that does not answer", () => {
    const quiet = someStatus({
      reasons: ["starting"],
      cache: null,
      memory: { bytes: 0, limitBytes: null },
    });
    const processes = [
      { process: 1, ...quiet },
      { process: 2, fault: "It has died." },
    ];
    const page = statusPage({ ...ABOUT, processes });
    for (const part of [
      "<h2>Process 1</h2>",
      "<td>no: starting</td>",
      "<td>none are kept</td>",
      "<td>0 MiB, no limit</td>",
      "<td>not used</td>",
      "<h2>Process 2</h2>\n<p>It has died.</p>",
    ])
      assert.ok(page.includes(part), part);
  });

  it("escapes whatever stands in it, and loads and runs nothing", () => {
    const evil = `<script src="//evil">'&</script>`;
    const page = statusPage({
      version: evil,
      started: evil,
      settings: { BIND_ADDRESS: evil },
      processes: [
        { process: 1, ...someStatus({ reasons: [evil], backends: [{ backend: evil, up: true }] }) },
        { process: 2, fault: evil },
      ],
    });
    assert.doesNotMatch(page, /<script|<img|<link|<iframe/);
    const safe = "&lt;script src=&quot;//evil&quot;&gt;&#39;&amp;&lt;/script&gt;";
    assert.equal(page.split(safe).length - 1, 6);
    assert.match(PAGE_POLICY, /^default-src 'none'; style-src 'sha256-[\w+/]{43}='; /);
  });
});
