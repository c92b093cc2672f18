#!/usr/bin/env bash
# Builds ghz with Go into $CACHE/bin, once.
set -euo pipefail
: "${CACHE:?the folder for builds: make sets it}"
version=v0.121.0
ghz=$CACHE/bin/ghz-$version
[ ! -x "$ghz" ] || exit 0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
GOBIN=$folder go install "github.com/bojand/ghz/cmd/ghz@$version"
mkdir -p "$CACHE/bin"
mv "$folder/ghz" "$ghz"
