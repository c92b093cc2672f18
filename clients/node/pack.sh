#!/usr/bin/env bash
# Client and command line as a package: `clients/node/pack.sh FOLDER`, after the build, writes it there and says its file's name.
set -euo pipefail
target=$(realpath "$1")
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm pack --silent --pack-destination "$work" >/dev/null
tar -xzf "$work"/*.tgz -C "$work"
# The other command is for whoever runs the server.
(cd "$work/package/dist/server" && rm -rf keys-cli.js rpc core)
cp clients/node/README.md "$work/package/README.md"
node dist/clients/node/manifest.js "$work/package" >"$work/package.json"
mv "$work/package.json" "$work/package/package.json"
npm pack --silent --pack-destination "$target" "$work/package"
