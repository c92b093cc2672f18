#!/usr/bin/env bash
# A command beside a toxiproxy, whose URL it finds in TOXIPROXY_URL, and which it has to use; built once with Go into $CACHE/bin.
set -euo pipefail
: "${CACHE:?the folder for builds: make sets it}"
. test/support/go-program.sh
version=v2.5.0
toxiproxy=$CACHE/bin/toxiproxy-$version
go_program "$toxiproxy" "github.com/Shopify/toxiproxy/v2/cmd/server@$version"

log=$(mktemp)
port=$((20000 + RANDOM % 12000))
LOG_LEVEL=info "$toxiproxy" -host 127.0.0.1 -port "$port" >"$log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null; rm -f "$log"' EXIT
until (: >"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
  kill -0 "$server" || { echo "toxiproxy ended before it was ready"; cat "$log"; exit 1; }
  sleep 0.1
done
TOXIPROXY_URL=http://127.0.0.1:$port "$@"
grep -q '"name":"redis-.*"Accepted client"' "$log" || { echo "nothing went through toxiproxy to a Redis"; cat "$log"; exit 1; }
