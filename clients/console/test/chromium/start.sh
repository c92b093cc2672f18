#!/usr/bin/env bash
# The Chromium that install.sh got, with the libraries and fonts beside it.
set -euo pipefail
dir=${CACHE:-$HOME/.cache/sentiment-analyzer-pro}/chromium
if [[ -x $dir/usr/lib/chromium/chromium ]]; then
  libraries=$(printf '%s:' "$dir"/{usr/,}lib/*-linux-gnu*{,/nss,/pulseaudio})
  export LD_LIBRARY_PATH=$libraries${LD_LIBRARY_PATH:-} FONTCONFIG_FILE=$dir/fonts.conf
  exec "$dir/usr/lib/chromium/chromium" "$@"
fi
exec chromium "$@"
