#!/usr/bin/env bash
# Writes the Python messages and stubs from proto/ into $1, with what requirements.txt pins; from the repository's root.
set -euo pipefail
: "${CACHE:?the folder for builds: make sets it}"
python=$CACHE/python-client-venv/bin/python
out=${1:-clients/python/sentiment_client/gen}
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
# protoc finds the plugin for the stubs' types beside the python.
PATH=${python%/*}:$PATH "$python" -m grpc_tools.protoc --proto_path=proto --python_out="$fresh" --pyi_out="$fresh" \
  --grpc_python_out="$fresh" --mypy_grpc_out=quiet:"$fresh" sentiment/v1/sentiment.proto
# They lie in our package: a top-level package `sentiment` could be somebody else's. Messages are pickled by that name too.
sed -i 's/sentiment\.v1 import sentiment_pb2/sentiment_client.gen import sentiment_pb2/; s/sentiment\.v1\.sentiment_pb2/sentiment_client.gen.sentiment_pb2/g' \
  "$fresh"/sentiment/v1/*
mkdir -p "$out"
mv "$fresh"/sentiment/v1/* "$out"
