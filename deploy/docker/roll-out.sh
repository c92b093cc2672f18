#!/usr/bin/env bash
# Replaces the servers of compose.scale.yaml one after the other by ones of the image and the settings as they are now, and no call fails: one more is started, and once it is healthy an
# old one is ended, which drains. One that does not get healthy is taken away, and the old ones stay. COMPOSE_FILE names the files, as for `docker compose`.
set -euo pipefail
cd "$(dirname "$0")"
export COMPOSE_FILE=${COMPOSE_FILE:-compose.yaml:compose.scale.yaml}

scale() {
  docker compose up --detach --no-deps --no-recreate --scale sentiment="$1" "${@:2}" sentiment
}

running=$(docker compose ps --quiet sentiment)
[ -n "$running" ] || { echo "No server is running: there is nothing to replace." >&2; exit 1; }
mapfile -t old <<<"$running"
for container in "${old[@]}"; do
  if ! scale $((${#old[@]} + 1)) --wait; then
    # Those that came last go first.
    scale "${#old[@]}"
    echo "The new server is not healthy, and was taken away: nothing else has changed." >&2
    exit 1
  fi
  docker stop "$container" >/dev/null
  docker rm "$container" >/dev/null
done
