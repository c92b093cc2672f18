#!/usr/bin/env bash
# A load tool (locust, artillery, ab) against the server and its REST bridge, which are started for it and ended after it: load.sh TOOL [SECONDS of a phase].
# The exit code is the tool's verdict. Needs Go.
set -euo pipefail
: "${CACHE:?the folder for builds: make sets it}"
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
node dist/benchmarks/load-texts.js >"$work/texts"
WORK=$work URL=$url TEXTS=$work/texts PHASE_SECONDS=${2:-60} "benchmarks/$1/run.sh"
