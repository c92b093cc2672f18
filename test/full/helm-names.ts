import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import {
  CHART,
  helm,
  helmTemplate,
  type Manifest,
  manifests,
  manifestsOf,
  ofKind,
  podsOf,
  valuesFiles,
} from "../support/chart.js";
import { scratchFolder } from "../support/scratch-folder.js";

/** helm's most for a release, and two that differ in the last letter alone. */
const LONG = "x".repeat(52);
/** Names that YAML takes for something else. */
const RELEASES = ["y", "null", "on", "no", "true", "e1", `${LONG}a`, `${LONG}b`];
const everything = ["--values", valuesFiles().get("everything") ?? ""];
const named = ["--set", "nameOverride="];

function checkName(name: unknown, kind: string): void {
  assert.ok(typeof name === "string");
  assert.ok(name.length <= (kind === "Service" ? 63 : 253), name);
}

const textsOf = (all: readonly Manifest[]) =>
  all.flatMap(({ metadata }) => Object.values({ ...metadata.labels, ...metadata.annotations }));

describe("names of the Helm chart", function () {
  this.timeout(120_000);

  for (const release of RELEASES)
    it(`fit with a release called ${release}`, async () => {
      const all = await manifests(release, [...everything, ...named]);
      assert.ok(all.length > 40);
      for (const { kind, metadata } of all) checkName(metadata.name, kind);
      const labels = podsOf(all).flatMap((pod) => Object.values(pod.labels));
      for (const text of [...textsOf(all), ...labels]) assert.equal(typeof text, "string");
      for (const { spec } of ofKind(all, "Service"))
        assert.equal(spec.selector["app.kubernetes.io/instance"], release);
    });

  it("are no two releases' at once, nor twice in one", async () => {
    const names = async (release: string) =>
      (await manifests(release, [...everything, ...named]))
        .filter(({ metadata }) => !metadata.name.startsWith("sentiment"))
        .map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    const [one, other] = [await names(`${LONG}a`), await names(`${LONG}b`)];
    assert.equal(new Set([...one, ...other]).size, one.length + other.length);
  });

  it("that pods are selected by stay over an upgrade", async () => {
    const selectors = async (...args: readonly string[]) =>
      ofKind(await manifests("a", args), "Deployment").map(({ spec }) => spec.selector);
    const changed =
      "labels.team=b,front.image.tag=9.9.9,front.podLabels.x=y,settings.GRPC_PORT=5000";
    assert.deepEqual(await selectors("--set", changed), await selectors());
  });
});

describe("the Helm chart", function () {
  this.timeout(120_000);

  it("comes out the same each time", async () => {
    for (const file of valuesFiles().values()) {
      const args = ["--values", file];
      assert.equal(await helmTemplate("a", args), await helmTemplate("a", args));
    }
  });

  it("is a part of another one, with its condition and what is global", async () => {
    await using folder = await scratchFolder();
    const around = join(folder.path, "around");
    await helm("create", around);
    await promisify(execFile)("rm", ["-r", join(around, "templates"), join(around, "values.yaml")]);
    await promisify(execFile)("cp", ["-RL", CHART, join(around, "charts")]);
    const set = "global.imageRegistry=mirror,global.other=1,sentiment-analyzer-pro.enabled=true";
    const text = await helm("template", "a", around, "--set", set);
    const [front] = ofKind(manifestsOf(text), "Deployment");
    const [{ image }] = front?.spec.template.spec.containers ?? [];
    assert.match(image, /^mirror\/sentiment-/);
  });

  it("is packaged with the rules and dashboards, and without the values of its tests", async () => {
    await using folder = await scratchFolder();
    await helm("package", CHART, "--destination", folder.path);
    const version = JSON.parse(await readFile("package.json", "utf8")).version as string;
    const archive = join(folder.path, `sentiment-analyzer-pro-${version}.tgz`);
    await promisify(execFile)("tar", ["-xzf", archive, "-C", folder.path]);
    const inside = join(folder.path, "sentiment-analyzer-pro");
    for (const [there, here] of [
      ["rules/alerts.yml", "deploy/prometheus/rules/alerts.yml"],
      ["dashboards/overview.json", "deploy/grafana/dashboards/overview.json"],
    ] as const)
      assert.equal(
        await readFile(join(inside, "files", there), "utf8"),
        await readFile(here, "utf8"),
      );
    await assert.rejects(readFile(join(inside, "ci/default.yaml")), { code: "ENOENT" });
    // What is installed is the same as from the folder.
    const packaged = await helm("template", "a", archive, "--namespace", "reviews", ...everything);
    assert.equal(packaged, await helmTemplate("a", everything));
  });
});
