#!/usr/bin/env bash
# A Kubernetes control plane with its etcd, kubectl and kwok, built with Go into $CACHE/kubernetes/bin (about ten minutes of CPU time, where Go has nothing of it in
# its cache), and beside them kwok's stages and the definitions of the custom resources that the chart can make, out of Go modules. No container, no root.
set -euo pipefail
here=$(dirname "$0")
kubernetes=${CACHE:?the folder for builds: make sets it}/kubernetes
rm -rf "$kubernetes"
mkdir -p "$kubernetes"/{bin,stages}

# What go.mod beside this pins, with all that is in it.
release=$(go -C "$here" list -m -f '{{.Version}}' k8s.io/kubernetes)
minor=${release#v1.}
# Without its version the API server does not start.
go -C "$here" build -trimpath -o "$kubernetes/bin/" -ldflags "-s -w
  -X k8s.io/component-base/version.gitVersion=$release
  -X k8s.io/component-base/version.gitMajor=1
  -X k8s.io/component-base/version.gitMinor=${minor%.*}
  -X k8s.io/client-go/pkg/version.gitVersion=$release" \
  k8s.io/kubernetes/cmd/{kube-apiserver,kube-controller-manager,kube-scheduler,kubectl}
# Distributions' etcd 3.4 is too old: it reports no progress of watches, and without that kwok's end every half minute, until nodes are taken for lost.
go -C "$here" build -trimpath -o "$kubernetes/bin/etcd" -ldflags "-s -w" go.etcd.io/etcd/server/v3

version=v0.8.0
GOBIN=$kubernetes/bin go install -trimpath -ldflags "-s -w" "sigs.k8s.io/kwok/cmd/kwok@$version"
. "$here/../custom-resources.sh"
copy_module_files "$kubernetes/stages" "sigs.k8s.io/kwok@$version" \
  kustomize/stage/node/{fast/node-initialize,heartbeat/node-heartbeat}.yaml \
  kustomize/stage/pod/general/pod-{create,init-container-running,init-container-completed,ready,complete,delete}.yaml
copy_custom_resources "$kubernetes/custom-resources"
"$kubernetes/bin/kubectl" version --client
"$kubernetes/bin/etcd" --version
