#!/usr/bin/env bash
# The console, from its sources into clients/gateway/console/dist, where the bridge's build takes it from. Needs Node 20.19 or later and npm.
set -euo pipefail
cd "$(dirname "$0")"
if [ ! node_modules/.package-lock.json -nt package-lock.json ]; then
  npm ci --no-audit --no-fund --loglevel=error
  touch node_modules/.package-lock.json
fi
npm run --silent build -- --logLevel warn
