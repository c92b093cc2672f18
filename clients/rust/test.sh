#!/usr/bin/env bash
# The Rust client: what is generated, its version, formatting, lints, documentation, and its tests against the running server. From the
# repository's root; needs Rust 1.88 or later, no protoc. What it builds is in $CACHE.
set -euo pipefail
: "${CACHE:?the folder for builds: make sets it}"
. test/support/must-say.sh
. test/support/running-server.sh
export CARGO_TARGET_DIR=$CACHE/rust-target

work=$(mktemp -d)
trap 'stop_server; rm -rf "$work"' EXIT

clients/rust/generate.sh "$work"
for folder in src/gen tests/support/gen; do
  diff -r "clients/rust/$folder" "$work/clients/rust/$folder" || { echo "clients/rust/$folder is out of date: make rust-proto"; exit 1; }
done
version=$(node -p 'require("./package.json").version')
grep -qxF "version = \"$version\"" clients/rust/Cargo.toml || { echo "clients/rust/Cargo.toml has another version than package.json: $version"; exit 1; }

HTTP_PORT=0 PREFETCH_MODELS=false DEFAULT_TIER=fast start_server "$work/server.log"
export SENTIMENT_ADDRESS=$address
cd clients/rust
cargo fmt --all --check
cargo clippy --quiet --locked -j2 --workspace --all-targets -- -D warnings
RUSTDOCFLAGS='-D warnings' cargo doc --quiet --locked -j2 --no-deps
# Servers of their own are heavy: two tests at once.
must_say '^test result: ok\. [1-9]' cargo test --locked -j2 --quiet -- --test-threads=2

# The example, as a program: both ways print the same.
printf 'I love it\n\nI hate it\n' >"$work/texts"
for mode in batch stream; do
  cargo run --quiet --locked -j2 --example analyze -- --tier fast --mode $mode "$work/texts" >"$work/$mode"
done
diff "$work/batch" "$work/stream"
number='-?[0-9]\.[0-9]{8,}'
line() { sed -n "$1p" "$work/batch" | grep -qxE "$2" || { echo "the example's line $1 is not $2:"; cat "$work/batch"; exit 1; }; }
line 1 "\{\"index\":0,\"label\":\"LABEL_POSITIVE\",\"score\":$number,\"confidence\":$number,\"token_count\":3\}"
line 2 '\{"index":1,"error":"TEXT_EMPTY"\}'
line 3 "\{\"index\":2,\"label\":\"LABEL_NEGATIVE\",\"score\":$number,\"confidence\":$number,\"token_count\":3\}"
