#!/usr/bin/env bash
# Triton's perf_analyzer against the running server: texts one by one and in batches. The binary is in the virtual environment
# $CACHE/triton-venv; it wants two libraries under names that nvidia-pytriton brings them with others.
set -euo pipefail
: "${CACHE:?the folder for builds: make sets it}"
. test/support/running-server.sh
venv=$CACHE/triton-venv

work=$(mktemp -d)
trap 'stop_server; rm -rf "$work"' EXIT
libraries=$(echo "$venv"/lib/python3*/site-packages/nvidia_pytriton.libs)
ln -s "$libraries"/libb64-*.so.0d "$work/libb64.so.0d"
ln -s "$libraries"/libcudart-*.so.12* "$work/libcudart.so.12"
cat >"$work/texts.json" <<'JSON'
{"data": [
  {"TEXT": ["I love this product!"]},
  {"TEXT": ["Terrible quality, waste of money"]},
  {"TEXT": ["The meeting is on Tuesday, and schön that it is."]}
]}
JSON

start_server "$work/log"
failed=0
measure() { # texts a call, calls at once
  if ! LD_LIBRARY_PATH=$work "$venv/bin/perf_analyzer" -m sentiment_balanced -u "$address" -i grpc \
    --input-data "$work/texts.json" --request-count 60 -b "$1" --concurrency-range "$2" >"$work/said" 2>&1 ||
    ! grep -qE 'throughput: [1-9][0-9.]* infer/sec' "$work/said" || grep -qiE 'error|fail' "$work/said"; then
    echo "not ok: perf_analyzer, batches of $1, $2 calls at once"
    cat "$work/said"
    failed=1
  else
    # Its throughput says little here: with so few requests most of its window, a second at least, is waiting.
    echo "ok: perf_analyzer, batches of $1, $2 calls at once: $(grep -oE 'Avg latency: [0-9]+ usec' "$work/said")"
  fi
}
measure 1 1
measure 1 4
measure 8 2
exit $failed
