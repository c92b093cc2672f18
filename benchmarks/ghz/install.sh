#!/usr/bin/env bash
# Builds ghz with Go into $CACHE/bin, once.
set -euo pipefail
: "${CACHE:?the folder for builds: make sets it}"
. test/support/go-program.sh
version=v0.121.0
go_program "$CACHE/bin/ghz-$version" "github.com/bojand/ghz/cmd/ghz@$version"
