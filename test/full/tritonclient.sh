#!/usr/bin/env bash
# The stock Python client of Triton against the running server. Its virtual environment is in $CACHE.
set -euo pipefail
: "${CACHE:?the folder for builds: make sets it}"
. test/support/running-server.sh

log=$(mktemp)
trap 'stop_server; rm -f "$log"' EXIT
start_server "$log"
"$CACHE/triton-venv/bin/python" test/full/tritonclient_asks.py "$address"
