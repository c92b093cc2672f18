#!/usr/bin/env bash
# A redis-server for the tests in $CACHE/redis, out of the distribution's own package and without root: downloaded with those of its
# libraries that the machine lacks, and unpacked. Where there is no apt, a redis-server on the PATH does.
set -euo pipefail
. test/support/apt-packages.sh

open_packages "${CACHE:?}/redis" "a redis-server (7 or later)" redis-server
download_packages redis-server redis-tools
unpack_packages
"$(dirname "$0")/start.sh" --version
