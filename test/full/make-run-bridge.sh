#!/usr/bin/env bash
# `make run` with the REST bridge beside the server, in a copy of the tree: both answer, both are gone after each signal, and a bridge that cannot be does not
# disturb the server. Needs Go.
set -euo pipefail

work=$(mktemp -d)
end() {
  [ -z "${group:-}" ] || kill -KILL -- "-$group" 2>/dev/null || true
  rm -rf "$work"
}
trap end EXIT
git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents --no-dereference --preserve=timestamps --target-directory="$work"
ln -s "$PWD/node_modules" "$work/node_modules"
cd "$work"
failed=0
tell() { echo "$1"; [ "${1%%:*}" = ok ] || failed=1; }

free_port() {
  local port
  while port=$((20000 + RANDOM % 12000)) && (: >"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
  echo "$port"
}
grpc=$(free_port) http=$(free_port) rest=$(free_port)
export GRPC_PORT=$grpc HTTP_PORT=$http GATEWAY_PORT=$rest PREFETCH_MODELS=false DEFAULT_TIER=fast WARM_UP_FILE=/dev/null

# In a process group of its own, as a terminal would start it: bash lets what it starts in the background ignore SIGINT.
start() {
  setsid env --default-signal=INT,QUIT "$@" >stdout.log 2>stderr.log &
  group=$!
}
# Without those that have ended and only wait to be counted.
members() { ps -e -o pgid=,pid=,stat= | awk -v group="$group" '$1 == group && $3 !~ /^Z/ { print $2 }'; }
server() { ps -e -o pgid=,pid=,args= | awk -v group="$group" '$1 == group && /[d]ist\/server\/main.js/ && !/beside/ { print $2; exit }'; }
# A fifth of a second a try.
until_is() {
  local what=$1 tries=$2
  shift 2
  for ((; tries > 0; tries--)); do
    if "$@" >/dev/null 2>&1; then return; fi
    sleep 0.2
  done
  echo "$what: not so in time"; cat stdout.log stderr.log; exit 1
}
analyze() { curl -sS --fail --max-time 10 "$@" -d '{"text":"I love this product!"}' "${scheme:-http}://127.0.0.1:$rest/api/analyze" | grep -q LABEL_POSITIVE; }
nobody_is_left() { [ -z "$(members)" ]; }
nothing_listens() { for port in "$grpc" "$http" "$rest"; do ! (: >"/dev/tcp/127.0.0.1/$port") 2>/dev/null || return 1; done; }
all_gone() {
  until_is "gone after $1" 60 nobody_is_left
  wait "$group" || true
  nothing_listens && tell "ok: nothing is left after $1" || tell "not ok: a port is taken after $1"
}
# A drain lasts over a second; another signal would have ended the server within it, without a last word.
drained() {
  [ "$(tail -n 1 stdout.log | grep -c '"msg":"stopped"')" = 1 ] && tell "ok: the server drained after $1" || tell "not ok: the server did not drain after $1: $(tail -n 3 stdout.log)"
}
run() {
  start make --no-print-directory run
  until_is 'the bridge answers' 1500 analyze
}

run
tell 'ok: POST /api/analyze beside make run'
live=$(curl -sS "http://127.0.0.1:$rest/api/live")
case $live in
  *'"answered":'[1-9]*) tell 'ok: the live view knows of the call' ;;
  *) tell "not ok: the live view: $live" ;;
esac
kill -INT -- "-$group"
all_gone 'Ctrl-C'
drained 'Ctrl-C'

run
kill -TERM "$(server)"
all_gone 'SIGTERM to the server'
drained 'SIGTERM to the server'

run
kill -TERM -- "-$group"
all_gone 'SIGTERM to all'

run
kill -KILL "$(server)"
all_gone 'SIGKILL of the server'

# From here on without make, which would build the server again and again.
beside() {
  start "$@" clients/gateway/beside.sh node dist/server/main.js
  until_is 'the server answers' 200 curl -sS --fail "http://127.0.0.1:$http/readyz"
}
goes_on() {
  until_is "$1 is told" 300 grep -q "$2" stderr.log
  [ "$(grep -c 'No REST bridge' stderr.log)" = 1 ] && curl -sS --fail "http://127.0.0.1:$http/readyz" >/dev/null && tell "ok: $1 is told, and the server goes on" || tell "not ok: $1: $(cat stderr.log)"
  kill -TERM "$(server)"
  all_gone "$1"
  drained "$1"
}
beside env GATEWAY_PORT="$http"
goes_on 'a port that is taken' 'No REST bridge: it has ended with exit code 1'

mkdir broken
printf '#!/bin/sh\necho broken >&2\nexit 1\n' >broken/go
chmod +x broken/go
beside env PATH="$work/broken:$PATH"
goes_on 'a Go that fails' 'No REST bridge: it cannot be built'

beside env REST_BRIDGE=false
sleep 4
[ "$(members | wc -l)" = 1 ] && [ ! -s stderr.log ] && tell 'ok: without a bridge the server is alone' || tell "not ok: REST_BRIDGE=false: $(members) $(cat stderr.log)"
kill -TERM "$(server)"
all_gone 'REST_BRIDGE=false'

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=server -addext subjectAltName=IP:127.0.0.1 \
  -keyout server.key -out server.pem 2>/dev/null
beside env TLS_CERT=server.pem TLS_KEY=server.key
scheme=https
until_is 'the bridge answers by TLS' 300 analyze --cacert server.pem
tell 'ok: TLS_CERT is for both, and the bridge trusts it'
kill -TERM "$(server)"
all_gone 'TLS'
exit "$failed"
