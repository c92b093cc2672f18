#!/usr/bin/env bash
# Artillery in $CACHE/artillery: 590 MB, so never in the tree. It needs none of its packages' scripts.
set -euo pipefail
dir=${CACHE:?}/artillery
rm -rf "$dir"
mkdir -p "$dir"
echo '{ "private": true }' >"$dir/package.json"
npm install --prefix "$dir" --ignore-scripts --no-audit --no-fund --loglevel=error artillery@2.0.21
