# Sourced, after running-server.sh, by what asks the REST bridge from outside.

# Builds it (needs Go) and starts it on a free port before the server at $address, with settings from the environment: $bridge is its process, $url where it is.
# $1 is the file for its log.
start_bridge() {
  local at
  make --silent gateway
  : >"$1"
  GATEWAY_PORT=0 SENTIMENT_ADDRESS="$address" DRAIN_DELAY="${DRAIN_DELAY:-0}" build/sentiment-gateway >"$1" &
  bridge=$!
  until at=$(grep -oE '"address":"[^"]+' "$1" | cut -d'"' -f4) && [ -n "$at" ]; do
    kill -0 "$bridge" || { echo "the bridge ended before it was ready"; cat "$1"; exit 1; }
    sleep 0.1
  done
  url=http://$at
}

# For a trap on EXIT.
stop_bridge() {
  [ -z "${bridge:-}" ] || { kill "$bridge" 2>/dev/null && wait "$bridge"; } || true
}
