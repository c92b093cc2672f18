# Sourced: a podman whose state lies in a folder, and images of this machine's own under the names that the Dockerfiles build on, for a machine without a registry of images.

# `podman` on the PATH, with the stand-ins in it, and `mounts`, the arguments that builds over them need; all of its state is in the folder $1.
open_podman() {
  export PODMAN_STATE=$1/podman PATH=$1/bin:$PATH
  mkdir -p "$1/bin" "$PODMAN_STATE"
  ln -s "$PWD/test/support/podman/start.sh" "$1/bin/podman"
  podman import --quiet "$CACHE/podman/base.tar" stand-in:debian >/dev/null
  node_stand_in "$(base_of deploy/docker/Dockerfile NODE_IMAGE)" "$1/node"
  go_stand_in "$(base_of deploy/docker/gateway.Dockerfile GO_IMAGE)"
  mapfile -t mounts < <(mounts "$1")
}

# Ends what runs in it, so that the folder can be removed.
close_podman() {
  podman rm --all --force --time 0 &>/dev/null || true
  podman image umount --all &>/dev/null || true
}

# What the Dockerfile $1 names as $2.
base_of() { sed -nE "s/^ARG $2=//p" "$1"; }

# Node and npm as in the real base, and its user; $1 is the name, $2 a folder for them.
node_stand_in() {
  mkdir -p "$2"
  cp "$(realpath node_modules/node/bin/node)" "$2/node"
  cp -r "$(dirname "$(realpath "$(command -v npm)")")/.." "$2/npm"
  cat >"$2/Dockerfile" <<'DOCKERFILE'
FROM stand-in:debian
COPY node /usr/local/bin/
COPY npm /usr/local/lib/node_modules/npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm && useradd --uid 1000 --user-group --create-home node
DOCKERFILE
  podman build --quiet --network none --squash --tag "$1" "$2" >/dev/null
}

# Debian with a place for Go, which is this machine's: `mounts` has it. $1 is the name.
go_stand_in() {
  podman import --quiet --change 'ENV PATH=/usr/local/go/bin:/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin' "$CACHE/podman/base.tar" "$1" >/dev/null
}

# What a build of the images needs of this machine: how npm and Go reach their registries, Go, and what it has built already. $1 is a folder for it.
mounts() {
  local ca=${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}
  { cat ~/.npmrc 2>/dev/null || true; echo "cafile=/etc/ssl/certs/ca-certificates.crt"; } >"$1/npmrc"
  for name in GOPROXY GOSUMDB GONOSUMDB; do echo "$name=$(go env $name)"; done >"$1/goenv"
  printf -- '--volume\n%s\n' "$ca:/etc/ssl/certs/ca-certificates.crt:ro" "$1/npmrc:/root/.npmrc:ro" "$1/goenv:/root/.config/go/env:ro" \
    "$(go env GOROOT):/usr/local/go:ro" "$(go env GOMODCACHE):/root/go/pkg/mod" "$(go env GOCACHE):/root/.cache/go-build"
}
