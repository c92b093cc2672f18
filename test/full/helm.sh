#!/usr/bin/env bash
# The Helm chart: linted and rendered with each file of its ci/ folder, and what comes of it held against three minors of Kubernetes and the custom resources, none
# of which may be passed over; then what the tests in helm*.ts look at. `make test-full` installs helm and kubeconform; test/full/kubernetes.ts installs the chart.
set -euo pipefail
. test/support/must-say.sh
export PATH=${CACHE:?the folder for builds: make sets it}/helm/bin:$PATH
schemas=$CACHE/helm/schemas
chart=deploy/helm/sentiment-analyzer-pro

# Of what is linked into the chart helm tells each time.
quiet() { "$@" 2> >(grep -v 'found symbolic link' >&2); }

# kubeconform passes over a file that has another ending, and is content.
rendered=$(mktemp --suffix .yaml)
trap 'rm -f "$rendered"' EXIT
for values in "$chart"/ci/*.yaml; do
  quiet helm lint --strict --quiet "$chart" --values "$values"
  quiet helm template a-release "$chart" --values "$values" >"$rendered"
  for release in "$schemas"/[0-9]*; do
    echo -n "$(basename "$values"), Kubernetes $(basename "$release"): "
    must_say '^Summary: [1-9]' kubeconform -strict -summary -schema-location "$release/{{ .ResourceKind }}{{ .KindSuffix }}.json" \
      -schema-location "$schemas/custom/{{ .Group }}/{{ .ResourceKind }}_{{ .ResourceAPIVersion }}.json" "$rendered"
  done
done
# One of them calls through the REST bridge.
[ -x build/sentiment-gateway ] || make --silent gateway
mocha --no-package --fail-zero --forbid-only --enable-source-maps 'dist/test/full/helm*.js'
