#!/usr/bin/env bash
# dockerd, to be run by `unshare --net --mount --pid`, so that no network, mount or rule of the machine's changes. All that it keeps is in the folder $1.
set -euo pipefail
dir=$CACHE/docker
state=$1
ip link set lo up
# containerd makes a folder in it.
mount -t tmpfs none /opt
if [ -x "$dir/usr/sbin/dockerd" ]; then
  mkdir "$state/bin"
  for name in iptables ip6tables; do ln -s "$dir/usr/sbin/xtables-legacy-multi" "$state/bin/$name"; done
  export PATH=$state/bin:$dir/usr/sbin:$dir/usr/bin:$PATH
  libraries=$(printf '%s:' "$dir"/usr/lib/*-linux-gnu*)
  export LD_LIBRARY_PATH=$libraries${LD_LIBRARY_PATH:-}
  export XTABLES_LIBDIR=${libraries%%:*}/xtables
fi
# Its key would be in /etc.
echo "{\"deprecated-key-path\": \"$state/key.json\"}" >"$state/daemon.json"
exec dockerd --config-file "$state/daemon.json" --host "unix://$state/docker.sock" --data-root "$state/data" --exec-root "$state/exec" --pidfile "$state/pid" \
  --cgroup-parent "/$(basename "$state")"
