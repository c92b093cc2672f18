#!/usr/bin/env bash
# prometheus and promtool for the tests in $CACHE/prometheus, out of the distribution's own package and without root. Where there is
# no apt, those on the PATH do.
set -euo pipefail
dir=${CACHE:?}/prometheus

rm -rf "$dir"
mkdir -p "$dir"/{lists,archives}/partial
if ! command -v apt-get >/dev/null; then
  command -v prometheus >/dev/null && command -v promtool >/dev/null && exit 0
  echo "the tests need a Prometheus: there is no apt-get to get one with, so put prometheus and promtool (2.42 or later) on the PATH" >&2
  exit 1
fi

# Lists of its own: those of the machine may be old, and only root may renew them.
get=(apt-get -qq -o Dir::State::lists="$dir/lists" -o Dir::Cache="$dir" -o Debug::NoLocking=1 -o APT::Sandbox::User=)
"${get[@]}" update
# Alone: of the packages that it depends on it needs none but the C library; the others are its web pages'.
(cd "$dir/archives" && "${get[@]}" download prometheus)
for package in "$dir"/archives/*.deb; do dpkg --extract "$package" "$dir"; done
rm -rf "$dir"/{lists,archives,*.bin}
"$dir/usr/bin/prometheus" --version
"$dir/usr/bin/promtool" --version
