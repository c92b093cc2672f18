# Sourced by the tests that ask the built server from outside.

# Starts it on a free port with settings from the environment, and waits until it is ready: $server is its process, $address where
# it listens. $1 is the file for its log.
start_server() {
  : >"$1"
  GRPC_PORT=0 node dist/server/main.js >"$1" &
  server=$!
  until address=$(grep -oE '"address":"[^"]+' "$1" | cut -d'"' -f4) && [ -n "$address" ]; do
    kill -0 "$server" || { echo "the server ended before it was ready"; cat "$1"; exit 1; }
    sleep 0.1
  done
}

# For a trap on EXIT.
stop_server() {
  [ -z "${server:-}" ] || { kill "$server" 2>/dev/null && wait "$server"; } || true
}
