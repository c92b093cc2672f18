#!/usr/bin/env bash
# prometheus and promtool for the tests in $CACHE/prometheus, out of the distribution's own package and without root. Where there is
# no apt, those on the PATH do.
set -euo pipefail
. test/support/apt-packages.sh

open_packages "${CACHE:?}/prometheus" "prometheus and promtool (2.42 or later)" "prometheus promtool"
# Alone: of the packages that it depends on it needs none but the C library; the others are its web pages'.
(cd "$dir/archives" && "${get[@]}" download prometheus)
unpack_packages
"$dir/usr/bin/prometheus" --version
"$dir/usr/bin/promtool" --version
