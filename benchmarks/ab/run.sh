#!/usr/bin/env bash
# The bridge at URL under load by ab; benchmarks/load.sh sets what it needs. ab has one URL a run and no rate: it sends its next call when it has the answer to
# the last. So single texts, batches and health come one after the other, 3 to 1 to 1, as many as there would be at 10, 50 and 100 calls a second; over as many
# connections as there would be calls of that kind under way if each took 100 ms. It sends the same body over and over, so that is not cached. Ends with exit code 1
# where a call failed, or a p95 is over 100 ms.
set -euo pipefail
p95_ms=100
dir=$CACHE/ab
if [ -x "$dir/usr/bin/ab" ]; then
  export LD_LIBRARY_PATH=$(printf '%s:' "$dir"/usr/lib/*-linux-gnu*)${LD_LIBRARY_PATH:-}
  export PATH=$dir/usr/bin:$PATH
fi

options='"options":{"skipCache":true}'
printf '{"text":"%s",%s}' "$(sed -n 1p "$TEXTS")" "$options" >"$WORK/single"
printf '{"texts":[%s],%s}' "$(sed -n 2,11p "$TEXTS" | sed 's/.*/"&"/' | paste -sd,)" "$options" >"$WORK/batch"
post() { echo -p "$WORK/$1" -T application/json; }

failed=0
# What it is, calls, connections, and what goes to ab. Answers differ in length: the times in them do.
run() {
  local what=$1 calls=$2 connections=$3 p95 bad
  shift 3
  ab -q -k -l -s 10 -n "$calls" -c "$connections" "$@" >"$WORK/said" 2>&1 || { cat "$WORK/said"; exit 1; }
  p95=$(awk '$1 == "95%" { print $2 }' "$WORK/said")
  bad=$(awk '/^(Failed requests|Non-2xx responses):/ { bad += $NF } END { print bad + 0 }' "$WORK/said")
  echo "$what: $calls calls over $connections connections, $(awk '/^Requests per second/ { print $4 }' "$WORK/said") a second, p95 $p95 ms, $bad failed"
  [ "$p95" -le "$p95_ms" ] && [ "$bad" = 0 ] || failed=1
}

for rate in 10 50 100; do
  fifth=$((rate / 5))
  calls=$((fifth * PHASE_SECONDS))
  run single $((3 * calls)) $(((3 * fifth + 9) / 10)) $(post single) "$URL/api/analyze"
  run batch "$calls" $(((fifth + 9) / 10)) $(post batch) "$URL/api/analyze/batch"
  run health "$calls" $(((fifth + 9) / 10)) "$URL/health"
done
[ "$failed" = 0 ] && echo "each p95 is at most $p95_ms ms and no call failed" || echo "a p95 is over $p95_ms ms, or calls failed"
exit "$failed"
