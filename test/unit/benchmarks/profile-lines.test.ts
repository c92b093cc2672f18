import assert from "node:assert/strict";
import { linesOf } from "../../../benchmarks/profile/lines.js";

const node = (id: number, functionName: string) => ({
  id,
  callFrame: { functionName, url: "server/a.ts", lineNumber: 0 },
});

describe("the lines of a profile", () => {
  const nodes = [node(1, "one"), node(2, "two"), node(3, "(idle)")];

  it("give each look the time until the next one, and nobody the profiler's own start", () => {
    const profile = { nodes, samples: [1, 2, 3, 1], timeDeltas: [100_000, 1000, 3000, 4000] };
    const { busy, lines } = linesOf(profile);
    assert.equal(busy, 0.5);
    assert.deepEqual(
      lines.map(({ name, share, where }) => [name, share, where]),
      [
        ["two", 0.75, "server/a.ts:1"],
        ["one", 0.25, "server/a.ts:1"],
      ],
    );
  });

  it("are none where nothing was looked at", () => {
    assert.deepEqual(linesOf({ nodes, samples: [], timeDeltas: [] }).lines, []);
  });
});
