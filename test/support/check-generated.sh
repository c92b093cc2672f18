#!/usr/bin/env bash
# Fails when server/gen is not what `make proto` writes from proto/.
set -euo pipefail
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
OUT=$fresh npm run --silent proto
diff -r server/gen "$fresh/server/gen" || { echo "server/gen is out of date: run make proto"; exit 1; }
