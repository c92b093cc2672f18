import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { goFaults, requirementFaults } from "../../../deploy/supply-chain/pins.js";

const FOLDERS = "{benchmarks,clients,deploy,test,training}/**";
const filesOf = (...patterns: readonly string[]) =>
  globSync(
    patterns.map((pattern) => `${FOLDERS}/${pattern}`),
    { exclude: ["**/node_modules/**"] },
  );

describe("the supply chain: pins", () => {
  const requirements = filesOf("requirements.txt", "requirements/*.txt");
  const goTools = filesOf("*.sh", "builder.yaml").filter((file) =>
    /go install|gomod:/.test(readFileSync(file, "utf8")),
  );

  it("are looked for where they are", () => {
    assert.ok(requirements.length >= 8, requirements.join());
    assert.ok(goTools.length >= 5, goTools.join());
  });
  for (const file of requirements)
    it(`${file} names exact versions`, () =>
      assert.deepEqual(requirementFaults(readFileSync(file, "utf8")), []));
  for (const file of goTools)
    it(`${file} names exact versions`, () =>
      assert.deepEqual(goFaults(readFileSync(file, "utf8")), []));

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

  it("of Go are found wanting where they are no version", () => {
    const script = (version: string) => `version=${version}\ngo install "a.test/b@$version"\n`;
    assert.deepEqual(goFaults(script("v1.2.3")), []);
    assert.deepEqual(goFaults("go install a.test/b@v1.2.3\n- gomod: a.test/c v0.1.0\n"), []);
    assert.deepEqual(goFaults(script("latest")), ["latest"]);
    assert.deepEqual(goFaults("go install a.test/b@main"), ["main"]);
    assert.deepEqual(goFaults("- gomod: a.test/c v0.1\n"), ["v0.1"]);
  });
});
