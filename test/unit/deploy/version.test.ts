import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import {
  notesOf,
  PLACES,
  versionsIn,
  withRelease,
  withVersion,
} from "../../../deploy/release/version.js";

const CHANGELOG =
  "# Changelog\n\n## Unreleased\n\n### Added\n- One.\n\n## 0.1.0 (2026-01-01)\n\n- Zero.\n";

describe("the version", () => {
  const { version } = JSON.parse(readFileSync("package.json", "utf8"));

  for (const place of PLACES) {
    const text = readFileSync(place.file, "utf8");
    it(`of ${place.file} is that of package.json`, () =>
      assert.deepEqual(
        versionsIn(text, place),
        place.at.map(() => version),
      ));
    it(`is set in ${place.file}, and nothing else is changed`, () => {
      const changed = withVersion(text, place, "12.34.56-rc.1");
      assert.deepEqual(
        versionsIn(changed, place),
        place.at.map(() => "12.34.56-rc.1"),
      );
      assert.equal(withVersion(changed, place, version), text);
      assert.equal(
        changed.length - text.length,
        place.at.length * ("12.34.56-rc.1".length - version.length),
      );
    });
  }

  it("is missed where a file does not name it", () =>
    assert.throws(
      () => versionsIn("{}", { file: "some.json", at: [/"version": "(?<version>.+)"/] }),
      /some\.json names no version/,
    ));

  it("gets what is unreleased in the changelog", () => {
    const released = withRelease(CHANGELOG, "0.2.0", "2026-02-02");
    assert.equal(notesOf(released, "0.2.0"), "### Added\n- One.");
    assert.equal(notesOf(released, "0.1.0"), "- Zero.");
    assert.ok(released.includes("## Unreleased\n\n## 0.2.0 (2026-02-02)\n\n### Added"));
  });

  it("is not released without a word in the changelog", () => {
    assert.throws(() => notesOf(CHANGELOG, "0.2.0"), /says nothing of 0\.2\.0/);
    assert.throws(() => withRelease("# Changelog\n", "0.2.0", "2026-02-02"), /Unreleased/);
  });
});
