#!/usr/bin/env bash
# docs/migration.md: each of its commands against the running bridge says what the page says. Needs Go and jq; with "write" the page takes what it says.
set -euo pipefail
. test/support/running-server.sh
. test/support/running-bridge.sh

work=$(mktemp -d)
end() {
  stop_bridge
  stop_server
  rm -rf "$work"
}
trap end EXIT

HTTP_PORT=0 start_server "$work/server.log"
start_bridge "$work/bridge.log"
URL=$url python3 test/full/migration_commands.py docs/migration.md ${1:+"$1"}
