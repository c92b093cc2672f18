#!/usr/bin/env bash
# The redis-server that install.sh got, with the libraries beside it.
set -euo pipefail
dir=${CACHE:-$HOME/.cache/sentiment-analyzer-pro}/redis
if [[ -x $dir/usr/bin/redis-server ]]; then
  libraries=$(printf '%s:' "$dir"/usr/lib/*-linux-gnu*)
  export LD_LIBRARY_PATH=$libraries${LD_LIBRARY_PATH:-}
  exec -a redis-server "$dir/usr/bin/redis-server" "$@"
fi
exec redis-server "$@"
