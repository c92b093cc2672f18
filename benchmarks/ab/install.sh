#!/usr/bin/env bash
# ab in $CACHE/ab, out of the distribution's own package and without root, as test/support/nginx/install.sh does it. Where there is no apt, an ab on the PATH does.
set -euo pipefail
dir=${CACHE:?}/ab

rm -rf "$dir"
mkdir -p "$dir"/{lists,archives}/partial
if ! command -v apt-get >/dev/null; then
  command -v ab >/dev/null && exit 0
  echo "there is no apt-get to get ab with, so put it on the PATH" >&2
  exit 1
fi

# Lists of its own: those of the machine may be old, and only root may renew them.
get=(apt-get -qq -o Dir::State::lists="$dir/lists" -o Dir::Cache="$dir" -o Dir::Cache::archives="$dir/archives"
  -o Debug::NoLocking=1 -o APT::Sandbox::User=)
"${get[@]}" update
# What is installed would be left out.
"${get[@]}" --yes --download-only --no-install-recommends --reinstall install apache2-utils >/dev/null
for package in "$dir"/archives/*.deb; do dpkg --extract "$package" "$dir"; done
rm -rf "$dir"/{lists,archives,*.bin}
