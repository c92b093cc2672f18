# Sourced: a Docker engine of one's own, and images to stand in for those of a registry. As root.

# Starts it with the folder $1 for all that it keeps; `docker` and `docker compose` (DOCKER_COMPOSE) speak to it from then on.
start_engine() {
  state=$1
  mkdir -p "$state/client/cli-plugins"
  ln -s "$DOCKER_COMPOSE" "$state/client/cli-plugins/docker-compose"
  export DOCKER_HOST=unix://$state/docker.sock DOCKER_CONFIG=$state/client
  unshare --net --mount --pid --fork --kill-child --mount-proc test/support/docker/start.sh "$state" &>"$state/log" &
  guard=$!
  until docker version &>/dev/null; do
    kill -0 "$guard" || { tail -5 "$state/log"; exit 1; }
    sleep 0.2
  done
  engine=$(pgrep --parent "$guard")
}

# For a trap on EXIT: nothing of it is left, whatever it was doing.
stop_engine() {
  [ -n "${engine:-}" ] || return 0
  docker swarm leave --force &>/dev/null || true
  docker ps --all --quiet | xargs --no-run-if-empty docker rm --force &>/dev/null || true
  kill "$engine" 2>/dev/null || true
  timeout 20 tail --pid "$guard" --follow /dev/null || kill "$guard"
  wait "$guard" || true
  find /sys/fs/cgroup -depth -type d -path "*/$(basename "$state")*" -exec rmdir {} + 2>/dev/null || true
}

# A command in the network where ports are published.
inside() { nsenter --target "$engine" --net "$@"; }

# An image $1 of the folder $2, with what is there of Docker's words for an image after it, to stand in for one of a registry; and the programs of this machine that it is asked by.
stand_in() {
  local changes=() change
  programs "$2" / /bin/sh /bin/bash /bin/grep
  for change in "${@:3}"; do changes+=(--change "$change"); done
  tar --create --directory "$2" . | docker import "${changes[@]}" - "$1" >/dev/null
}

# Puts programs below $2, each with its libraries, into the folder $1, at their places below $2.
programs() {
  local program file
  for program in "${@:3}"; do
    for file in "$program" $(ldd "$program" 2>/dev/null | grep -oE '/[^ ]+'); do
      install -D "$(readlink --canonicalize "$file")" "$1/${file#"$2"}"
    done
  done
}
