#!/usr/bin/env bash
# Images and chart of a release, `push.sh FOLDER REGISTRY`, into a registry that the machine is logged in to, as $REGISTRY/sentiment-analyzer-pro:<version> and so on; the chart below $REGISTRY/charts.
set -euo pipefail
: "${CACHE:=$HOME/.cache/sentiment-analyzer-pro}"
[ $# = 2 ] || { echo 'push.sh FOLDER REGISTRY'; exit 2; }
folder=$1 registry=$2
(cd "$folder" && sha256sum --check --quiet SHA256SUMS)
. "$(dirname "$0")/../docker/builder.sh"
for image in sentiment-analyzer-pro sentiment-gateway; do
  at=$registry/$image:$version
  if [ "$builder" = buildah ]; then buildah push "$image:$version" "docker://$at"
  else
    gzip -dc "$folder/$image-$version.image.tar.gz" | "$builder" load
    "$builder" tag "$image:$version" "$at"
    "$builder" push "$at"
  fi
done
"$CACHE/helm/bin/helm" push "$folder/sentiment-analyzer-pro-$version.tgz" "oci://$registry/charts"
