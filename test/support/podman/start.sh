#!/usr/bin/env bash
# The podman that install.sh got, with its images and containers in the folder PODMAN_STATE. As root; it makes no networks, so `--network` is `none`, `host`
# or another container's.
set -euo pipefail
dir=${CACHE:-$HOME/.cache/sentiment-analyzer-pro}/podman
state=${PODMAN_STATE:?a folder}
libraries=$(printf '%s:' "$dir"/usr/lib/*-linux-gnu* "$dir"/lib/*-linux-gnu*)
export LD_LIBRARY_PATH=$libraries${LD_LIBRARY_PATH:-}
# Where it looks for the policy without one of the machine's.
export HOME=$state/home
export CONTAINERS_STORAGE_CONF=$state/storage.conf CONTAINERS_CONF=$state/containers.conf
if [ ! -e "$CONTAINERS_CONF" ]; then
  mkdir -p "$HOME/.config/containers"
  cp "$dir/etc/containers/policy.json" "$HOME/.config/containers/"
  printf '[storage]\ndriver = "overlay"\ngraphroot = "%s"\nrunroot = "%s"\n' "$state/store" "$state/run" >"$CONTAINERS_STORAGE_CONF"
  # runc, since crun refuses machines that have cgroups of both versions. The limits are those of the machine: others cannot be set everywhere.
  cat >"$CONTAINERS_CONF" <<CONF
[engine]
runtime = "runc"
conmon_path = ["$dir/usr/bin/conmon"]
cgroup_manager = "cgroupfs"
events_logger = "file"
static_dir = "$state/static"
tmp_dir = "$state/tmp"
volume_path = "$state/volumes"
[engine.runtimes]
runc = ["$dir/usr/sbin/runc"]
[containers]
default_ulimits = ["nofile=$(ulimit -Hn):$(ulimit -Hn)", "nproc=10000:10000"]
seccomp_profile = "$dir/usr/share/containers/seccomp.json"
CONF
fi
exec "$dir/usr/bin/podman" "$@"
