#!/usr/bin/env bash
# All files of a release, in the folder $1 (build/release): images, chart, bridge for other machines, client for Node, bill of materials, what is new, and the SHA-256 of each.
# Needs Docker, podman or buildah (BUILDER), Go and npm; `deploy/release/push.sh` sends images and chart to a registry. IMAGE_ARGS go to the builds of the images.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${CACHE:?the folder for builds: make sets it}"
out=$(realpath -m "${1:-build/release}")
. deploy/docker/builder.sh
# What is released has to be what the tag says.
[ -z "$(git status --porcelain)" ] || { git status --short; echo 'commit these first'; exit 1; }
rm -rf "$out"
mkdir -p "$out"
node dist/deploy/release/version.js notes "$version" >"$out/NOTES.md"

# shellcheck disable=SC2086
BUILDER=$builder deploy/docker/build.sh ${IMAGE_ARGS:-}
for image in sentiment-analyzer-pro sentiment-gateway; do
  archive=$out/$image-$version.image.tar
  if [ "$builder" = buildah ]; then buildah push --quiet "$image:$version" "docker-archive:$archive:$image:$version"
  else "$builder" save --output "$archive" "$image:$version"; fi
  gzip -9 --no-name "$archive"
done

"$CACHE/helm/bin/helm" package --destination "$out" deploy/helm/sentiment-analyzer-pro

clients/console/build.sh
for target in linux/amd64 linux/arm64 darwin/arm64; do
  (cd clients/gateway && CGO_ENABLED=0 GOOS=${target%/*} GOARCH=${target#*/} GOFLAGS='-mod=readonly -buildvcs=false' \
    go build -trimpath -ldflags='-s -w' -o "$out/sentiment-gateway-$version-${target/\//-}" .)
done
# Else it would have the chart's name.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mv "$work/$(clients/node/pack.sh "$work")" "$out/sentiment-node-client-$version.tgz"
node dist/deploy/supply-chain/write-sbom.js "$out/sentiment-analyzer-pro-$version.cdx.json"
(cd "$out" && sha256sum -- * >SHA256SUMS && cat SHA256SUMS)
