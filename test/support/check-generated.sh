#!/usr/bin/env bash
# Fails when server/gen is not what `make proto` writes from proto/.
set -euo pipefail
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
buf generate --template proto/buf.gen.yaml --output "$fresh"
buf build proto --path proto/sentiment --path proto/inference/grpc_service.proto --path proto/grpc --path proto/google -o "$fresh/server/gen/descriptors.binpb"
diff -r server/gen "$fresh/server/gen" || { echo "server/gen is out of date: run make proto"; exit 1; }
