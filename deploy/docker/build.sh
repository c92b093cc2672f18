#!/usr/bin/env bash
# Both images, tagged with the version of package.json, by Docker, podman or buildah: BUILDER, or the first of them that works. The arguments go to each build.
set -euo pipefail
cd "$(dirname "$0")/../.."
. deploy/docker/builder.sh
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)

case $builder in
  docker) build=(docker build) ;;
  # The other format has no health checks; and buildah alone makes one layer of all.
  podman | buildah) build=("$builder" build --format docker --layers) ;;
esac

image() { # name, Dockerfile, arguments
  "${build[@]}" --build-arg VERSION="$version" --build-arg REVISION="$revision" --tag "$1:$version" --file "deploy/docker/$2" "${@:3}" .
}
image sentiment-analyzer-pro Dockerfile "$@"
image sentiment-gateway gateway.Dockerfile "$@"
