import assert from "node:assert/strict";
import fc from "fast-check";
import { Chain, type Link } from "../../../server/core/chain.js";
import { valuesOf } from "../../support/chain-values.js";

describe("Chain", () => {
  it("has its members in the order in which they came, less those that were taken out, whichever, and however often", () => {
    const taken = fc.array(fc.array(fc.nat({ max: 9 }), { maxLength: 3 }), { maxLength: 10 });
    fc.assert(
      fc.property(taken, (rounds) => {
        const chain = new Chain<number>();
        const links: Link<number>[] = [];
        const members = new Set<number>();
        for (const out of rounds) {
          members.add(links.length);
          links.push(chain.add(links.length));
          const known = out.flatMap((number) => links[number] ?? []);
          for (const link of known) {
            chain.remove(link);
            members.delete(link.value);
            // Else whoever keeps it would keep all that came after it.
            assert.deepEqual([link.before, link.after], [undefined, undefined]);
          }
          assert.deepEqual(valuesOf(chain), [...members]);
        }
      }),
    );
  });
});
