#!/usr/bin/env bash
# Docker Compose, built once with Go into $CACHE/bin, and a command that finds it in DOCKER_COMPOSE.
set -euo pipefail
: "${CACHE:?the folder for builds: make sets it}"
version=v2.40.3
export DOCKER_COMPOSE=$CACHE/bin/docker-compose-$version
if [ ! -x "$DOCKER_COMPOSE" ]; then
  module=github.com/docker/compose/v2
  # In its own folder: `go install` of another's passes over what its go.mod excludes, and so refuses it.
  folder=$(go mod download -json "$module@$version" | sed -nE 's/^\s*"Dir": "(.*)",$/\1/p')
  mkdir -p "$CACHE/bin"
  (cd "$folder" && CGO_ENABLED=0 GOFLAGS=-mod=readonly go build -trimpath -ldflags "-s -w -X $module/internal.Version=$version" -o "$DOCKER_COMPOSE" ./cmd)
fi
"$@"
