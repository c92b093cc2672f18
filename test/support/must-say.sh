# Sourced: for programs that are content where they have found nothing to look at.

# Runs the command from $2 on, and shows all that it says at once. Fails where it does, and where no line of it is like $1; needs pipefail.
must_say() {
  "${@:2}" 2>&1 | {
    local line said=1
    while IFS= read -r line || [ -n "$line" ]; do
      printf '%s\n' "$line"
      [[ ! $line =~ $1 ]] || said=0
    done
    [ $said = 0 ] || echo "nothing like $1 was said"
    exit $said
  }
}
