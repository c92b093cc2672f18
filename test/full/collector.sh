#!/usr/bin/env bash
# The OpenTelemetry Collector, built once with Go into $CACHE/bin, and a command that finds it in OTELCOL.
set -euo pipefail
: "${CACHE:?the folder for builds: make sets it}"
version=v0.165.0
export OTELCOL=$CACHE/bin/otelcol-$version
if [ ! -x "$OTELCOL" ]; then
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  GOBIN=$folder go install "go.opentelemetry.io/collector/cmd/builder@$version"
  cp deploy/otel/builder.yaml "$folder"
  (cd "$folder" && ./builder --config builder.yaml)
  mkdir -p "$CACHE/bin"
  mv "$folder/otelcol/otelcol" "$OTELCOL"
fi
"$@"
