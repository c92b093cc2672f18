#!/usr/bin/env bash
# A Chromium for the tests in $CACHE/chromium, out of the distribution's own package and without root: downloaded with those of its
# libraries that the machine lacks, and with fonts, and unpacked. Where there is no apt, a chromium on the PATH does.
set -euo pipefail
dir=${CACHE:?}/chromium

rm -rf "$dir"
mkdir -p "$dir"/{lists,archives}/partial
if ! command -v apt-get >/dev/null; then
  command -v chromium >/dev/null && exit 0
  echo "the tests need a Chromium: there is no apt-get to get one with, so put chromium (128 or later) on the PATH" >&2
  exit 1
fi

# Lists of its own: those of the machine may be old, and only root may renew them.
get=(apt-get -qq -o Dir::State::lists="$dir/lists" -o Dir::Cache="$dir" -o Dir::Cache::archives="$dir/archives"
  -o Debug::NoLocking=1 -o APT::Sandbox::User=)
"${get[@]}" update
# What is installed would be left out.
"${get[@]}" --yes --download-only --no-install-recommends --reinstall install chromium fonts-liberation fonts-noto-color-emoji >/dev/null
for package in "$dir"/archives/*.deb; do dpkg --extract "$package" "$dir"; done
rm -rf "$dir"/{lists,archives,*.bin}
cat >"$dir/fonts.conf" <<FONTS
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <dir>$dir/usr/share/fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>$dir/fonts-cache</cachedir>
$(for family in sans sans-serif system-ui; do echo "  <alias binding=\"same\"><family>$family</family><prefer><family>Liberation Sans</family></prefer></alias>"; done)
  <include ignore_missing="yes">/etc/fonts/conf.d</include>
</fontconfig>
FONTS
"$(dirname "$0")/start.sh" --version
