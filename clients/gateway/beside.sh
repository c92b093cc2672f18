#!/usr/bin/env bash
# Runs a command, the server, and where Go is there to build it the REST bridge beside it (REST_BRIDGE=false: without). The bridge ends when the server has
# ended; where it cannot be built or started a line says so, and the server goes on.
set -u

# The server holds the other end of standard input and writes nothing, so there is nothing to read until it has ended.
server_runs() {
  read -rt "$1"
  # Over 128: the time was over, or a signal came.
  [ $? -gt 128 ]
}

# What is said of a bridge that ends with the server is of no use.
say() { server_runs 1 && echo "$1"; }

# The settings of the bridge that the server's tell; those of the same name are for both.
settings() {
  local host=${BIND_ADDRESS:-127.0.0.1}
  case $host in
    0.0.0.0) host=127.0.0.1 ;;
    ::) host='[::1]' ;;
    *:*) host="[$host]" ;;
  esac
  # For the console's live view. Beyond this machine all who reach the bridge would see the numbers: there it is for whoever runs it to say so.
  case ${BIND_ADDRESS:-127.0.0.1}:${HTTP_PORT:-9464} in
    *:0) ;;
    127.* | localhost:* | ::1:*) export SENTIMENT_METRICS_URL=${SENTIMENT_METRICS_URL-http://$host:${HTTP_PORT:-9464}/metrics} ;;
  esac
  export SENTIMENT_ADDRESS=${SENTIMENT_ADDRESS:-$host:${GRPC_PORT:-50051}}
  # The very certificate that the server shows is trusted.
  [ -z "${TLS_CERT:-}" ] || export SENTIMENT_CA=${SENTIMENT_CA:-$TLS_CERT}
  # Nothing that watches its health has to notice first: the server goes at the same time.
  export DRAIN_DELAY=${DRAIN_DELAY:-0}
}

# Its exit code; without a server nothing of it is left either.
while_server_runs() {
  "$@" </dev/null &
  local child=$!
  while kill -0 "$child" 2>/dev/null; do
    server_runs 1 || end "$child"
  done
  wait "$child"
}

end() {
  kill "$1" 2>/dev/null
  for _ in {1..20}; do
    kill -0 "$1" 2>/dev/null || exit 0
    sleep 0.1
  done
  kill -KILL "$1" 2>/dev/null
  exit 0
}

bridge() {
  # Ctrl-C comes to all at once. What this waits for is the server's end.
  trap : HUP INT TERM
  # Until the server is up it has the machine to itself.
  server_runs 2 || exit 0
  if [ -n "${TLS_CLIENT_CA:-}" ] && [ -z "${SENTIMENT_CERT:-}" ]; then
    say 'No REST bridge: where TLS_CLIENT_CA is set it needs SENTIMENT_CERT and SENTIMENT_KEY.'
    return
  fi
  # The first time it takes a minute.
  say "The REST bridge and its console are being built: they answer on port ${GATEWAY_PORT:-8080} once a line says \"listening\"."
  if ! while_server_runs make --silent gateway >/dev/null 2>&1; then
    say 'No REST bridge: it cannot be built. "make gateway" says why.'
    return
  fi
  settings
  while_server_runs build/sentiment-gateway || say "No REST bridge: it has ended with exit code $?."
}

if [ "${REST_BRIDGE:-true}" != false ] && [ "${GRPC_PORT:-50051}" != 0 ] && command -v go >/dev/null; then
  exec 9> >(bridge >&2)
fi
exec "$@"
