#!/usr/bin/env bash
# An nginx for the tests in $CACHE/nginx, out of the distribution's own package and without root: downloaded with those of its libraries
# that the machine lacks, and unpacked. Where there is no apt, an nginx on the PATH does.
set -euo pipefail
dir=${CACHE:?}/nginx

rm -rf "$dir"
mkdir -p "$dir"/{lists,archives}/partial
if ! command -v apt-get >/dev/null; then
  command -v nginx >/dev/null && exit 0
  echo "the tests need an nginx: there is no apt-get to get one with, so put nginx (1.22 or later, with HTTP/2) on the PATH" >&2
  exit 1
fi

# Lists of its own: those of the machine may be old, and only root may renew them.
get=(apt-get -qq -o Dir::State::lists="$dir/lists" -o Dir::Cache="$dir" -o Dir::Cache::archives="$dir/archives"
  -o Debug::NoLocking=1 -o APT::Sandbox::User=)
"${get[@]}" update
# What is installed would be left out.
"${get[@]}" --yes --download-only --no-install-recommends --reinstall install nginx >/dev/null
for package in "$dir"/archives/*.deb; do dpkg --extract "$package" "$dir"; done
rm -rf "$dir"/{lists,archives,*.bin}
"$(dirname "$0")/start.sh" -v
