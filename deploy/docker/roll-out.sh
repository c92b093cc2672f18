#!/usr/bin/env bash
# Replaces the servers of compose.scale.yaml, and then the REST bridge, one after the other by ones of the images and the settings as they are now, and no call fails: one more is started, and once it is healthy an
# old one is ended, which drains. One that does not get healthy is taken away, and the old ones stay. COMPOSE_FILE names the files, as for `docker compose`, which builds or pulls the images first.
set -euo pipefail
cd "$(dirname "$0")"
export COMPOSE_FILE=${COMPOSE_FILE:-compose.yaml:compose.scale.yaml}

scale() {
  docker compose up --detach --no-deps --no-recreate --scale "$1=$2" "${@:3}" "$1"
}

roll() {
  local old container
  mapfile -t old < <(docker compose ps --quiet "$1")
  [ ${#old[@]} -gt 0 ] || { echo "No $1 is running: there is nothing to replace." >&2; exit 1; }
  for container in "${old[@]}"; do
    if ! scale "$1" $((${#old[@]} + 1)) --wait; then
      # Those that came last go first.
      scale "$1" "${#old[@]}"
      echo "The new $1 is not healthy, and was taken away: the old ones stay." >&2
      exit 1
    fi
    docker stop "$container" >/dev/null
    docker rm "$container" >/dev/null
  done
}

roll sentiment
roll gateway
