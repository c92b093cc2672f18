#!/usr/bin/env bash
# Known weaknesses, high or worse, of all packages of the lock file. Fails too where they could not be looked up: not every registry answers that.
set -uo pipefail
said=$(npm audit --audit-level=high 2>&1)
code=$?
echo "$said"
if [ "$code" -ne 0 ] && grep -q 'audit endpoint returned an error' <<<"$said"; then
  echo "Nothing was looked up: this registry answers no audits. Name one that does in npm_config_registry."
fi
exit "$code"
