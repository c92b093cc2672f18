#!/usr/bin/env bash
# The workflows of GitHub, by actionlint, which is built once with Go into $CACHE/bin.
set -euo pipefail
: "${CACHE:?the folder for builds: make sets it}"
. test/support/go-program.sh
version=v1.7.12
actionlint=$CACHE/bin/actionlint-$version
go_program "$actionlint" "github.com/rhysd/actionlint/cmd/actionlint@$version"
# A step that is wrong has to be found, or it would find nothing in ours.
wrong=$(printf 'on: push\njobs:\n  one:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: actions/checkout@v5\n        with: {no-such-input: 1}\n')
"$actionlint" - <<<"$wrong" >/dev/null && { echo 'actionlint finds nothing wrong in what is wrong'; exit 1; }
"$actionlint" .github/workflows/*.yml
echo "actionlint finds nothing in $(ls .github/workflows/*.yml | wc -l) workflows"
