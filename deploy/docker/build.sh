#!/usr/bin/env bash
# Both images, tagged with the version of package.json, by Docker, podman or buildah: BUILDER, or the first of them that works. The arguments go to each build.
set -euo pipefail
cd "$(dirname "$0")/../.."
version=$(sed -nE 's/^  "version": "(.+)",$/\1/p' package.json)
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)

works() { command -v "$1" && "$1" info; } &>/dev/null
builder=${BUILDER:-}
for one in docker podman buildah; do
  [ -n "$builder" ] || ! works "$one" || builder=$one
done
case $builder in
  docker) build=(docker build) ;;
  # The other format has no health checks; and buildah alone makes one layer of all.
  podman | buildah) build=("$builder" build --format docker --layers) ;;
  *) echo 'there is no Docker (with its engine running), podman or buildah to build the images with' >&2; exit 1 ;;
esac

image() { # name, Dockerfile, arguments
  "${build[@]}" --build-arg VERSION="$version" --build-arg REVISION="$revision" --tag "$1:$version" --file "deploy/docker/$2" "${@:3}" .
}
image sentiment-analyzer-pro Dockerfile "$@"
image sentiment-gateway gateway.Dockerfile "$@"
