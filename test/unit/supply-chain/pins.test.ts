import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import {
  actionFaults,
  deployedFaults,
  goFaults,
  imageFaults,
  requirementFaults,
} from "../../../deploy/supply-chain/pins.js";

const FOLDERS = "{benchmarks,clients,deploy,test,training}/**";
const filesOf = (...patterns: readonly string[]) =>
  globSync(
    patterns.map((pattern) => `${FOLDERS}/${pattern}`),
    { exclude: ["**/node_modules/**"] },
  );

describe("the supply chain: pins", () => {
  const requirements = filesOf("requirements.txt", "requirements/*.txt");
  const goTools = filesOf("*.sh", "builder.yaml").filter((file) =>
    /go install|go_program |gomod:/.test(readFileSync(file, "utf8")),
  );

  const dockerfiles = filesOf("*Dockerfile");
  const deployed = globSync([
    "deploy/docker/compose*.yaml",
    "deploy/swarm/*.yaml",
    "deploy/helm/values/*.ts",
  ]).filter((file) => /\bimage(: |\("[^"]*", "[^"]+", "[^"])/.test(readFileSync(file, "utf8")));
  const workflows = globSync(".github/workflows/*.yml");

  it("are looked for where they are", () => {
    assert.ok(dockerfiles.length >= 2, dockerfiles.join());
    assert.ok(workflows.length >= 3, workflows.join());
    assert.ok(deployed.length >= 7, deployed.join());
    assert.ok(requirements.length >= 8, requirements.join());
    assert.ok(goTools.length >= 5, goTools.join());
  });
  for (const file of requirements)
    it(`${file} names exact versions`, () =>
      assert.deepEqual(requirementFaults(readFileSync(file, "utf8")), []));
  for (const file of goTools)
    it(`${file} names exact versions`, () =>
      assert.deepEqual(goFaults(readFileSync(file, "utf8")), []));

  for (const file of dockerfiles)
    it(`${file} names exact versions, and the Node that the server is tested with`, () => {
      const text = readFileSync(file, "utf8");
      const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8"));
      assert.deepEqual(imageFaults(text), []);
      assert.equal(/\/node:([\d.]+)-/.exec(text)?.[1], packages["node_modules/node"].version);
    });

  for (const file of deployed)
    it(`${file} names images exactly`, () =>
      assert.deepEqual(deployedFaults(readFileSync(file, "utf8")), []));

  it("of images that are deployed are found wanting where they are not exact", () => {
    const compose = (image: string) => `services:\n  a:\n    image: ${image}\n    command: b\n`;
    for (const image of ["a/b:1.2.3", "c:v1.2.3-x", "n/t:24.10-py3", `\${REGISTRY:-}d:0.1.0`])
      assert.deepEqual(deployedFaults(compose(image)), []);
    for (const image of ["a/b", "a/b:latest", "a:7.4-bookworm"])
      assert.deepEqual(deployedFaults(compose(image)), [image]);
    assert.deepEqual(deployedFaults('image("r", "a/b", "1.2", "B")'), ["a/b:1.2"]);
    assert.deepEqual(deployedFaults('image("", "ours", "", "it")'), []);
  });

  for (const file of workflows)
    it(`${file} names actions by their commits`, () =>
      assert.deepEqual(actionFaults(readFileSync(file, "utf8")), []));

  it("of actions are found wanting where they are no commit", () => {
    const commit = "0".repeat(40);
    const workflow = (action: string) => `steps:\n  - uses: ${action} # v1\n  - run: true\n`;
    for (const action of [`a/b@${commit}`, `a/b/c@${commit}`, "./.github/workflows/a.yml"])
      assert.deepEqual(actionFaults(workflow(action)), []);
    for (const action of ["a/b@v1", "a/b@main", "a/b", `a/b@${commit.slice(1)}`])
      assert.deepEqual(actionFaults(workflow(action)), [action]);
    assert.deepEqual(actionFaults("    uses: a/b@v1\n"), ["a/b@v1"]);
  });

  it("of Python are found wanting where they leave anything open", () => {
    const digest = `--hash=sha256:${"0".repeat(64)}`;
    const fine = `# Why\n\none==1.2.3\nt.w-o[extra]==1.0rc1 # so\nthree==1!2.0+cpu \\\n  ${digest} \\\n  ${digest}\n`;
    assert.deepEqual(requirementFaults(fine), []);
    for (const open of [
      "one",
      "one>=1.2",
      "one==1.*",
      "one~=1.2",
      "one==1.2,>=1",
      "-r other.txt",
      "git+https://git.test/one",
      "--index-url https://r.test",
    ])
      assert.deepEqual(requirementFaults(`two==1.0\n${open}\n`), [open]);
  });

  it("of images are found wanting where they are no version, or no name at all", () => {
    const dockerfile = (image: string) =>
      `ARG A_IMAGE=${image}\nFROM \${A_IMAGE} AS first\nFROM first AS second\nFROM scratch\n`;
    const digest = `@sha256:${"0".repeat(64)}`;
    for (const image of ["a.test/b:1.2.3", "b:1.2.3-slim", `b:1.2.3-slim${digest}`])
      assert.deepEqual(imageFaults(dockerfile(image)), []);
    for (const image of ["b", "b:latest", "b:1.2-slim", "a.test:5000/b"])
      assert.deepEqual(imageFaults(dockerfile(image)), [image]);
    assert.deepEqual(imageFaults("FROM b:1\nFROM c:1.2.3 AS d\nFROM e\n"), ["b:1", "e"]);
  });

  it("of Go are found wanting where they are no version", () => {
    const script = (version: string) => `version=${version}\ngo install "a.test/b@$version"\n`;
    assert.deepEqual(goFaults(script("v1.2.3")), []);
    assert.deepEqual(goFaults("go install a.test/b@v1.2.3\n- gomod: a.test/c v0.1.0\n"), []);
    assert.deepEqual(goFaults(script("latest")), ["latest"]);
    assert.deepEqual(goFaults("go install a.test/b@main"), ["main"]);
    assert.deepEqual(goFaults("- gomod: a.test/c v0.1\n"), ["v0.1"]);
    assert.deepEqual(goFaults('version=v1\ngo_program "$b" "a.test/b@$version"\n'), ["v1"]);
  });
});
