#!/usr/bin/env bash
# Models of other people: `make import-model` of small checkpoints, and the server's answers against those of transformers.
# The virtual environment of `make models` is in $CACHE.
set -euo pipefail
: "${CACHE:?the folder for builds: make sets it}"
. test/support/must-say.sh
. test/support/running-server.sh
python=$CACHE/training-venv/bin/python
# The checkpoints are so small that threads would only wait for each other.
export OMP_NUM_THREADS=1 PYTHONPATH=training:training/tests

must_say '^Ran [1-9]' "$python" -m unittest discover --start-directory training/tests

work=$(mktemp -d)
trap 'stop_server; rm -rf "$work"' EXIT

"$python" training/tests/served.py make "$work"
declare -A kinds=([fast]=distilbert [balanced]=bert [accurate]=roberta)
for tier in "${!kinds[@]}"; do
  make --no-print-directory import-model NAME="$work/${kinds[$tier]}" TIER="$tier" REPOSITORY="$work/repository"
done

MODEL_REPOSITORY=$work/repository DEFAULT_TIER=fast start_server "$work/log"

failed=0
for tier in "${!kinds[@]}"; do
  node dist/clients/node/cli.js --json --tier "$tier" --address "$address" <"$work/texts.txt" |
    "$python" training/tests/served.py compare "$work" "${kinds[$tier]}" || failed=1
done
exit $failed
