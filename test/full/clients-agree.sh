#!/usr/bin/env bash
# The five clients' example programs say the same of the same 200 texts, by batches and by a stream. Needs what the clients' own tests need.
set -euo pipefail
: "${CACHE:?the folder for builds: make sets it}"
. test/support/running-server.sh
work=$(mktemp -d)
trap 'stop_server; rm -rf "$work"' EXIT

node --input-type=module -e "
  import { sentences } from './dist/test/support/sentences.js';
  // Empty, white space, characters of two UTF-16 units, marks, a long text, characters that JSON escapes.
  const odd = ['', '   ', 'I 💙 it, honestly 😀', 'Cafe\u0301 was fine', 'very '.repeat(900) + 'good', 'a \"quoted\" \\\\ text\twith a tab', '素晴らしい', 'x'.repeat(10001)];
  process.stdout.write([...sentences(200 - odd.length), ...odd].map((text) => text + '\n').join(''));
" >"$work/texts"
[ "$(wc -l <"$work/texts")" = 200 ]

export PYTHONPATH=clients/python CARGO_TARGET_DIR=$CACHE/rust-target
(cd clients/go && GOFLAGS='-mod=readonly -buildvcs=false' go build -o "$work/go-client" ./examples/analyze)
(cd clients/rust && cargo build --quiet --locked -j2 --example analyze)
mvn -q -f clients/java/pom.xml test-compile
programs=(
  "node dist/clients/node/examples/sentiments.js"
  "$CACHE/python-client-venv/bin/python clients/python/examples/analyze_lines.py"
  "$work/go-client"
  "$CARGO_TARGET_DIR/debug/examples/analyze"
  "clients/java/examples/analyze-lines.sh"
)

start_server "$work/server.log"
number=0
for program in "${programs[@]}"; do
  for mode in batch stream; do
    $program --address "$address" --tier fast --mode $mode <"$work/texts" >"$work/$number.jsonl"
    number=$((number + 1))
  done
done
node --input-type=module -e "
  import assert from 'node:assert/strict';
  import { readFileSync } from 'node:fs';
  const read = (number) => readFileSync('$work/' + number + '.jsonl', 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  const [first, ...others] = Array.from({ length: $number }, (_, number) => read(number));
  assert.equal(first.length, 200);
  assert.deepEqual(first.slice(-8).map(({ error }) => error), ['TEXT_EMPTY', 'TEXT_EMPTY', undefined, undefined, undefined, undefined, undefined, 'TEXT_TOO_LONG']);
  assert.equal(new Set(first.map(({ label }) => label)).size, 4);
  for (const answers of others) {
    assert.equal(answers.length, 200);
    answers.forEach(({ score, confidence, ...rest }, place) => {
      const { score: itsScore, confidence: itsConfidence, ...itsRest } = first[place];
      assert.deepEqual(rest, itsRest);
      if (itsScore === undefined) return assert.equal(score, undefined);
      assert.ok(Math.abs(score - itsScore) <= 1e-6 && Math.abs(confidence - itsConfidence) <= 1e-6, place + ': ' + score + ', not ' + itsScore);
    });
  }
"
echo "ok: ${#programs[@]} clients, in two ways each, say the same of 200 texts"
