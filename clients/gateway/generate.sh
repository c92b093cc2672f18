#!/usr/bin/env bash
# Writes the handlers and the OpenAPI document from proto/ into $1/clients/gateway/gen; from the repository's root.
set -euo pipefail
: "${CACHE:?the folder for builds: make sets it}"
out=${1:-.}
export GOBIN=$CACHE/gateway-tools PATH=$CACHE/gateway-tools:$PATH
go install github.com/grpc-ecosystem/grpc-gateway/v2/protoc-gen-grpc-gateway@v2.33.0
go install github.com/grpc-ecosystem/grpc-gateway/v2/protoc-gen-openapiv2@v2.33.0
buf generate --template clients/gateway/buf.gen.yaml --output "$out"
# What the generator cannot say: fields that are not known are refused, in requests.
sed -E '/^    "Analyze(Batch|Stream)?(Request|Options)": \{$/ { n; s/$/\n      "additionalProperties": false,/ }' \
  "$out/clients/gateway/gen/sentiment.swagger.json" >"$out/clients/gateway/gen/openapi.json"
rm "$out/clients/gateway/gen/sentiment.swagger.json"
