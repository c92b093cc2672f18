#!/usr/bin/env bash
# Starts the Triton that nvidia-pytriton bundles, alone and on loopback, with an onnxruntime backend made from
# backends/onnxruntime/model.py, so that it reads the config.pbtxt files which NVIDIA's container reads.
#
#   start.sh [flags of tritonserver]
#
# Environment: CACHE (folder with triton-venv, which make makes), MODEL_REPOSITORY, TRITON_HTTP_PORT, TRITON_GRPC_PORT,
# TRITON_METRICS_PORT. The process stays the one that was started, leads a process group of its own, and ends with whoever
# started it. Its shared memory lies in /dev/shm/sentiment-triton-<pid>-*.
set -euo pipefail

# setsid forks, and the pid changes, only for the leader of a group; that one needs no other.
[ "$(cut -d ')' -f 2- /proc/$$/stat | cut -d ' ' -f 4)" = $$ ] || exec setsid "$0" "$@"

CACHE=${CACHE:-$HOME/.cache/sentiment-analyzer-pro}
venv=$CACHE/triton-venv
here=$(cd "$(dirname "$0")" && pwd)
repository=$(realpath -e "${MODEL_REPOSITORY:-$here/../../../triton-model-repo}")
if [ ! -e "$venv/done" ]; then
  echo "there is no Triton in $venv: run make $venv/done" >&2
  exit 1
fi

IFS=$'\n' read -r -d '' site version libpython < <("$venv/bin/python" -c '
import sysconfig
print(sysconfig.get_path("purelib"), sysconfig.get_python_version(), sysconfig.get_config_var("LIBDIR"), sep="\n", end="\0")')
server=$site/pytriton/tritonserver
stub=$server/python_backend_stubs/$version/triton_python_backend_stub
# Without these libraries a model would load for ever.
export LD_LIBRARY_PATH=$libpython:$site/nvidia_pytriton.libs
# The stub's Python finds the virtual environment by its place in the path.
export PATH=$venv/bin:$PATH
if ! linked=$(ldd "$stub" 2>&1) || grep -q 'not found' <<<"$linked"; then
  echo "Python $version cannot run Triton's Python backend (it wants a shared libpython): $linked" >&2
  exit 1
fi

# Named after what is in it, so that several checkouts can share the cache and a start never changes what another one reads.
name=$(cat <(echo "$version") "$venv/done" "$here/backends/onnxruntime/model.py" | sha256sum | cut -c 1-16)
backends=$CACHE/triton-backends/$name
if [ ! -d "$backends" ]; then
  mkdir -p "$CACHE/triton-backends"
  fresh=$(mktemp -d "$CACHE/triton-backends/.fresh-XXXXXX")
  mkdir "$fresh/onnxruntime"
  # Copies: Triton loads no library through a link that leads out of the folder.
  cp -r "$server/backends/python" "$fresh/"
  cp "$stub" "$fresh/python/"
  cp "$here/backends/onnxruntime/model.py" "$fresh/onnxruntime/"
  # Fails when another start was quicker: then its folder is as good.
  mv -T "$fresh" "$backends" 2>/dev/null || rm -rf "$fresh"
fi

shm=sentiment-triton-$$-
# A process that had this pid before may have been killed.
rm -f "/dev/shm/$shm"*

exec setpriv --pdeathsig TERM "$server/bin/tritonserver" \
  --model-repository="$repository" --backend-directory="$backends" \
  --model-control-mode=explicit --disable-auto-complete-config --allow-gpu-metrics=false \
  --http-address=127.0.0.1 --http-port="${TRITON_HTTP_PORT:-8000}" \
  --grpc-address=127.0.0.1 --grpc-port="${TRITON_GRPC_PORT:-8001}" \
  --metrics-address=127.0.0.1 --metrics-port="${TRITON_METRICS_PORT:-8002}" \
  --backend-config=python,shm-region-prefix-name="$shm" --exit-timeout-secs=10 "$@"
