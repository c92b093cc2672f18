#!/usr/bin/env bash
# Writes the Rust code from proto/ into $1/clients/rust; from the repository's root. Needs no protoc.
set -euo pipefail
: "${CACHE:?the folder for builds: make sets it}"
out=${1:-.}
export CARGO_TARGET_DIR=$CACHE/rust-target
cargo run --quiet --locked -j2 --manifest-path clients/rust/Cargo.toml --package sentiment-client-codegen -- proto "$out/clients/rust"
