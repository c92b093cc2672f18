#!/usr/bin/env bash
# An nginx for the tests in $CACHE/nginx, out of the distribution's own package and without root: downloaded with those of its libraries
# that the machine lacks, and unpacked. Where there is no apt, an nginx on the PATH does.
set -euo pipefail
. test/support/apt-packages.sh

open_packages "${CACHE:?}/nginx" "nginx (1.22 or later, with HTTP/2)" nginx
download_packages nginx
unpack_packages
"$(dirname "$0")/start.sh" -v
