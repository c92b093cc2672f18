#!/usr/bin/env bash
# The README's first call, by the client that people have: grpcurl, over reflection.
set -euo pipefail
. test/support/grpcurl.sh
. test/support/running-server.sh

log=$(mktemp)
trap 'stop_server; rm -f "$log"' EXIT
start_server "$log"

failed=0
expect() { # tier, text, label
  if "$grpcurl" -plaintext -d "{\"text\":\"$2\",\"tier\":\"$1\"}" "$address" sentiment.v1.SentimentService/Analyze |
    grep -qF "\"label\": \"$3\""; then
    echo "ok: $1, $2: $3"
  else
    echo "not $3: $1, $2"
    failed=1
  fi
}
for tier in TIER_FAST TIER_BALANCED; do
  expect $tier 'I love this product!' LABEL_POSITIVE
  expect $tier 'Terrible quality, waste of money' LABEL_NEGATIVE
  expect $tier 'The meeting is on Tuesday.' LABEL_NEUTRAL
done
exit $failed
