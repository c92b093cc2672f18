#!/usr/bin/env bash
# What GET /openapi.json says, against the running bridge, by schemathesis: for MINUTES (1) it sends what the document allows, and what it does not. Needs Go and jq.
set -euo pipefail
: "${CACHE:?the folder for builds: make sets it}"
. test/support/running-server.sh
. test/support/running-bridge.sh
minutes=${1:-1}

work=$(mktemp -d)
end() {
  stop_bridge
  stop_server
  rm -rf "$work"
}
trap end EXIT

HTTP_PORT=0 PREFETCH_MODELS=false DEFAULT_TIER=fast start_server "$work/server.log"
start_bridge "$work/bridge.log"

# Left out:
#   the stream: its body is no JSON document but one a line, which OpenAPI 2 cannot say (test/full/gateway.sh asks it);
#   ignored_auth, missing_required_header: this server has no keys, and the document says that it may be so;
#   use_after_free, ensure_resource_availability, object_level_authorization: nothing is made here that a later call could ask for, so there is nothing stateful.
left_out=ignored_auth,missing_required_header,use_after_free,ensure_resource_availability,object_level_authorization
stream=/api/analyze/stream
paths=$(curl -sSf "$url/openapi.json" | jq -r '.paths | keys[]' | grep -vx "$stream")
code=0
export SCHEMATHESIS_HOOKS=$PWD/test/full/schemathesis/hooks.py PYTHONDONTWRITEBYTECODE=1
# From there, because it leaves a folder of its own where it runs.
cd "$work"
"$CACHE/schemathesis-venv/bin/st" run "$url/openapi.json" \
  --exclude-path "$stream" --phases examples,coverage,fuzzing --mode all --exclude-checks "$left_out" \
  --max-time $((60 * minutes)) --request-timeout 30 --suppress-health-check all --generation-database none --no-color || code=$?
requests=$(curl -sS "$url/metrics" | grep '^sentiment_gateway_requests_total')
echo "$requests"
# Where all is refused, no answer was held against the document.
for path in $paths; do
  grep -qF "{code=\"200\",endpoint=\"$path\"," <<<"$requests" || { echo "$path has answered nothing"; code=1; }
done
exit "$code"
