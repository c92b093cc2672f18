#!/usr/bin/env bash
# The bridge at URL under load by Artillery; benchmarks/load.sh sets what it needs.
set -euo pipefail
cp benchmarks/artillery/load.yml "$WORK"
cp "$TEXTS" "$WORK/singles.csv"
paste -d, - - - - - - - - - - <"$TEXTS" >"$WORK/batches.csv"
export ARTILLERY_DISABLE_TELEMETRY=true
"$CACHE/artillery/node_modules/.bin/artillery" run "$WORK/load.yml" | sed -n '/^Summary report/,$p'
