#!/usr/bin/env bash
# ab in $CACHE/ab, out of the distribution's own package and without root. Where there is no apt, an ab on the PATH does.
set -euo pipefail
. test/support/apt-packages.sh

open_packages "${CACHE:?}/ab" ab ab
download_packages apache2-utils
unpack_packages
