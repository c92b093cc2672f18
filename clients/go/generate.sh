#!/usr/bin/env bash
# Writes the Go messages and stubs from proto/ into $1/clients/go/gen; from the repository's root.
set -euo pipefail
: "${CACHE:?the folder for builds: make sets it}"
out=${1:-.}
export GOBIN=$CACHE/go-client-tools PATH=$CACHE/go-client-tools:$PATH
go install google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.12
go install google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.6.2
buf generate --template clients/go/buf.gen.yaml --output "$out"
