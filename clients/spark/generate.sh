#!/usr/bin/env bash
# Writes the Python messages from proto/ into $2, with grpcio-tools of the python $1; from the repository's root.
set -euo pipefail
python=${1:?a python with grpcio-tools}
out=${2:-clients/spark/sentiment_spark/gen}
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
"$python" -m grpc_tools.protoc --proto_path=proto --python_out="$fresh" --pyi_out="$fresh" sentiment/v1/sentiment.proto
# They import nothing beside them, so they may lie anywhere; a top-level package `sentiment` could be somebody else's.
mv "$fresh"/sentiment/v1/* "$out"
