#!/usr/bin/env bash
# The nginx that install.sh got, with the libraries beside it.
set -euo pipefail
dir=${CACHE:-$HOME/.cache/sentiment-analyzer-pro}/nginx
if [[ -x $dir/usr/sbin/nginx ]]; then
  libraries=$(printf '%s:' "$dir"/usr/lib/*-linux-gnu*)
  export LD_LIBRARY_PATH=$libraries${LD_LIBRARY_PATH:-}
  exec -a nginx "$dir/usr/sbin/nginx" "$@"
fi
exec nginx "$@"
