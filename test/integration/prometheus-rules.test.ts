import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { prometheusTool } from "../support/prometheus-server.js";

const FOLDER = "deploy/prometheus";
const promtool = (...args: readonly string[]) =>
  promisify(execFile)(prometheusTool("promtool"), args);
const filesIn = async (folder: string) =>
  (await readdir(join(FOLDER, folder))).map((name) => join(FOLDER, folder, name));

/** What the first group of the pattern finds, over and over. */
const all = (text: string, pattern: RegExp) =>
  [...text.matchAll(pattern)].map(([, found]) => found ?? "");
/** As GitHub makes anchors out of headings. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\w -]/g, "")
    .replaceAll(" ", "-");

describe("the rules for Prometheus", function () {
  this.timeout(120_000);
  let alerts: string;
  let handbook: string;
  let names: readonly string[];
  let anchors: readonly string[];
  before(async () => {
    handbook = await readFile("docs/operations.md", "utf8");
    anchors = all(handbook, /^#+ (.+)$/gm).map(anchorOf);
    const rules = await Promise.all((await filesIn("rules")).map((file) => readFile(file, "utf8")));
    alerts = rules.join("\n");
    names = all(alerts, /- alert: (\w+)/g);
    assert.ok(names.length > 10);
  });

  it("are a configuration that Prometheus takes", async () => {
    for (const config of ["prometheus.yml", "local.yml"])
      await promtool("check", "config", join(FOLDER, config));
    await promtool("check", "rules", ...(await filesIn("rules")));
  });

  it("pass their tests", async () => {
    await promtool("test", "rules", ...(await filesIn("tests")));
  });

  it("fire in one of those tests, each, and are quiet in another", async () => {
    const tests = await Promise.all((await filesIn("tests")).map((file) => readFile(file, "utf8")));
    const text = tests.join("\n");
    const firing = all(text, /alertname: (\w+)\n +exp_alerts:\n/g);
    const quiet = all(text, /alertname: (\w+)\n +exp_alerts: \[\]\n/g);
    const missing = (from: readonly string[]) => names.filter((name) => !from.includes(name));
    assert.deepEqual({ firing: missing(firing), quiet: missing(quiet) }, { firing: [], quiet: [] });
  });

  it("say how grave an alert is, what it means, and what to do", () => {
    for (const rule of alerts.split("- alert: ").slice(1)) {
      const [name] = rule.split("\n");
      assert.match(rule, /severity: (critical|warning|info)\n/, name);
      assert.match(rule, /summary: \S/, name);
      // What is absent has no value.
      if (!rule.includes("expr: absent(")) assert.match(rule, /description: .*\{\{ \$value/, name);
      const [file, anchor = ""] = /runbook_url: (\S+)/.exec(rule)?.[1]?.split("#") ?? [];
      assert.equal(file, "docs/operations.md", name);
      assert.ok(anchors.includes(anchor), `${name}: no section ${anchor}`);
    }
  });

  it("have a handbook whose sections point to others that are there", () => {
    const pointed = all(handbook, /\]\(#([^)]+)\)/g);
    assert.deepEqual(
      pointed.filter((anchor) => !anchors.includes(anchor)),
      [],
    );
  });
});
