# Sourced: programs that are built once with Go.

# The program of package@version $2 at $1, unless it is there.
go_program() {
  [ ! -x "$1" ] || return 0
  local folder
  folder=$(mktemp -d)
  GOBIN=$folder go install "$2"
  mkdir -p "$(dirname "$1")"
  mv "$folder"/* "$1"
  rmdir "$folder"
}
