#!/usr/bin/env bash
# docs/migration.md: each of its commands against the running bridge says what the page says. Needs Go and jq; with "write" the page takes what it says.
set -euo pipefail
. test/support/running-server.sh

work=$(mktemp -d)
end() {
  [ -z "${bridge:-}" ] || { kill "$bridge" 2>/dev/null && wait "$bridge"; } || true
  stop_server
  rm -rf "$work"
}
trap end EXIT

start_server "$work/server.log"
make --silent gateway
GATEWAY_PORT=0 SENTIMENT_ADDRESS="$address" DRAIN_DELAY=0 build/sentiment-gateway >"$work/bridge.log" &
bridge=$!
until at=$(grep -oE '"address":"[^"]+' "$work/bridge.log" | cut -d'"' -f4) && [ -n "$at" ]; do
  kill -0 "$bridge" || { cat "$work/bridge.log"; exit 1; }
  sleep 0.1
done
URL=http://$at python3 test/full/migration_commands.py docs/migration.md ${1:+"$1"}
