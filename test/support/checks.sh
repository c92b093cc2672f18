# Sourced: checks that say how they went, one a line. The script ends with `exit $failed`. Set `work` to a folder before.

failed=0
ok() { echo "ok: $1"; }
fail() {
  echo "not ok: $1"
  failed=1
}
# What it is, what should be, and what is. Two that are empty are not the same: nothing was looked at.
same() { [ -n "$2" ] && diff <(echo "$2") <(echo "$3") >"$work/diff" && ok "$1" || fail "$1: $(head -20 "$work/diff")"; }
# What it is, what has to be said, and the command, which has to fail.
refused() {
  local said
  if said=$("${@:3}" 2>&1); then fail "$1: nothing was refused"; return; fi
  grep -qF -- "$2" <<<"$said" && ok "$1" || fail "$1: no $2 in: $(tail -c 500 <<<"$said")"
}
