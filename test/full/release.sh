#!/usr/bin/env bash
# A release from its first command to its last, in a clone: `make version`, `make release`, and what lies there then. Over stand-in bases, as images.sh; needs Go, jq, and root for podman.
set -euo pipefail
: "${CACHE:?the folder for builds: make sets it}"
. test/support/checks.sh
. test/support/podman/stand-ins.sh
[ "$(id -u)" = 0 ] || { echo 'the images are built by podman here, which has to be root'; exit 1; }
version=98.7.6-rc.1
work=$(mktemp -d)
end() {
  close_podman
  rm -rf --one-file-system "$work"
}
trap end EXIT

open_podman "$work"
git clone --quiet . "$work/clone"
cp -r node_modules "$work/clone/node_modules"
cd "$work/clone"
touch node_modules/.package-lock.json
export BUILDER=podman IMAGE_ARGS="--pull=never --network=host ${mounts[*]}" CACHE
release() { make --silent release CACHE="$CACHE"; }

refused 'a release of a version that the changelog does not know' 'says nothing of' release
make --silent version VERSION=$version
refused 'a release of what is not committed' 'commit these first' release
git -c user.name=release -c user.email=release@localhost commit --quiet --no-verify --all --message "Release $version"
release >"$work/log" 2>&1 || { tail -50 "$work/log"; exit 1; }
ok 'make release'

cd build/release
same 'the files' "$(sed "s/VERSION/$version/" <<'FILES' | LC_ALL=C sort
NOTES.md
SHA256SUMS
sentiment-analyzer-pro-VERSION.cdx.json
sentiment-analyzer-pro-VERSION.image.tar.gz
sentiment-analyzer-pro-VERSION.tgz
sentiment-gateway-VERSION-darwin-arm64
sentiment-gateway-VERSION-linux-amd64
sentiment-gateway-VERSION-linux-arm64
sentiment-gateway-VERSION.image.tar.gz
sentiment-node-client-VERSION.tgz
FILES
)" "$(LC_ALL=C ls)"
sha256sum --check --quiet SHA256SUMS && ok 'the checksums' || fail 'the checksums'
same 'all other files have one' "$(LC_ALL=C ls | grep -v SHA256SUMS)" "$(awk '{ print $2 }' SHA256SUMS)"
same 'the notes are those of the changelog' "$(sed -n "/^## $version /,/^## [0-9]/p" ../../CHANGELOG.md | grep '^- ')" "$(grep '^- ' NOTES.md)"
same 'the chart' "$version $version" "$(tar -xOzf "sentiment-analyzer-pro-$version.tgz" sentiment-analyzer-pro/Chart.yaml | sed -nE 's/^(version|appVersion): "?([^"]+)"?$/\2/p' | paste -sd ' ' -)"
same 'the bill of materials' "sentiment-analyzer-pro $version" "$(jq -r '.metadata.component | "\(.name) \(.version)"' "sentiment-analyzer-pro-$version.cdx.json")"
same 'the client for Node' "$version" "$(tar -xOzf "sentiment-node-client-$version.tgz" package/package.json | jq -r .version)"
for name in sentiment-analyzer-pro sentiment-gateway; do
  podman rmi --force "$name:$version" >/dev/null
  gzip -dc "$name-$version.image.tar.gz" | podman load --quiet >/dev/null
  same "the image $name, as it is loaded" "$version $(git rev-parse HEAD)" \
    "$(podman image inspect "$name:$version" | jq -r '.[0].Config.Labels | "\(."org.opencontainers.image.version") \(."org.opencontainers.image.revision")"')"
done
# It asks, and nobody listens there.
refused 'the bridge runs' 'connection refused' env GATEWAY_PORT=1 "./sentiment-gateway-$version-linux-amd64" healthcheck
file "sentiment-gateway-$version-linux-arm64" | grep -q 'ARM aarch64.*statically linked' && ok 'the bridge for arm64' || fail 'the bridge for arm64'
exit $failed
