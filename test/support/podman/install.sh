#!/usr/bin/env bash
# A podman for the tests in $CACHE/podman, out of the distribution's own package; and base.tar, a bare Debian to stand in for images of a registry. As root.
set -euo pipefail
. test/support/apt-packages.sh

open_packages "${CACHE:?}/podman" "podman (4.3 or later), conmon, runc and debootstrap" "podman conmon runc debootstrap"
download_packages podman conmon runc debootstrap
unpack_packages

rm -rf "$dir/base"
DEBOOTSTRAP_DIR=$dir/usr/share/debootstrap "$dir/usr/sbin/debootstrap" --variant=minbase --include=ca-certificates bookworm "$dir/base"
tar -C "$dir/base" --exclude='./var/cache/apt/*' --exclude='./var/lib/apt/lists/*' -cf "$dir/base.tar" .
rm -rf "$dir/base"
