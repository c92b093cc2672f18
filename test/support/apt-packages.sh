# Sourced by what unpacks programs out of the distribution's own packages, without root.

# Makes the folder $1 anew for them: `get` is then an apt-get with fresh lists of its own. Where there is no apt, the programs $3 on the PATH do, and the script
# ends well; without them it ends with what $2 says to put there.
open_packages() {
  dir=$1
  rm -rf "$dir"
  mkdir -p "$dir"/{lists,archives}/partial
  if ! command -v apt-get >/dev/null; then
    local program
    for program in $3; do
      command -v "$program" >/dev/null || { echo "there is no apt-get to get it with, so put $2 on the PATH" >&2; exit 1; }
    done
    exit 0
  fi
  # Those of the machine may be old, and only root may renew them.
  get=(apt-get -qq -o Dir::State::lists="$dir/lists" -o Dir::Cache="$dir" -o Dir::Cache::archives="$dir/archives"
    -o Debug::NoLocking=1 -o APT::Sandbox::User=)
  "${get[@]}" update
}

# The packages named, with those that they need and the machine lacks.
download_packages() {
  # What is installed would be left out.
  "${get[@]}" --yes --download-only --no-install-recommends --reinstall install "$@" >/dev/null
}

# All that was downloaded, into the folder.
unpack_packages() {
  local package
  for package in "$dir"/archives/*.deb; do dpkg --extract "$package" "$dir"; done
  rm -rf "$dir"/{lists,archives,*.bin}
}
