#!/usr/bin/env bash
# A Chromium for the tests in $CACHE/chromium, out of the distribution's own package and without root: downloaded with those of its
# libraries that the machine lacks, and with fonts, and unpacked. Where there is no apt, a chromium on the PATH does.
set -euo pipefail
. test/support/apt-packages.sh

open_packages "${CACHE:?}/chromium" "chromium (128 or later)" chromium
download_packages chromium fonts-liberation fonts-noto-color-emoji
unpack_packages
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
