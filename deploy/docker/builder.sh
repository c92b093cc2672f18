# Sourced by what builds or keeps images: sets `builder` to BUILDER, or to the first of docker, podman and buildah that works, and `version` to that of package.json.
version=$(sed -nE 's/^  "version": "(.+)",$/\1/p' package.json)
works() { command -v "$1" && "$1" info; } &>/dev/null
builder=${BUILDER:-}
for one in docker podman buildah; do
  [ -n "$builder" ] || ! works "$one" || builder=$one
done
case $builder in
  docker | podman | buildah) ;;
  *) echo 'there is no Docker (with its engine running), podman or buildah to build the images with' >&2; exit 1 ;;
esac
