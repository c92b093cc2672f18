#!/usr/bin/env bash
# The Go client before real servers: generated code, version, formatting, vet, and all tests with the race detector. From the repository's
# root; needs Go, openssl, and what `npm run build` has built.
set -euo pipefail
: "${CACHE:?the folder for builds: make sets it}"
. test/support/must-say.sh
export GOFLAGS='-mod=readonly -buildvcs=false' PATH=$PWD/node_modules/.bin:$PATH

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

clients/go/generate.sh "$work"
diff -r clients/go/gen "$work/clients/go/gen" || { echo 'clients/go/gen is out of date: make go-proto'; exit 1; }
version=$(node -p 'require("./package.json").version')
grep -qx "const Version = \"$version\"" clients/go/client.go || { echo "clients/go/client.go: Version is not $version, as package.json says"; exit 1; }
unformatted=$(gofmt -l clients/go)
[ -z "$unformatted" ] || { echo "run gofmt -w: $unformatted"; exit 1; }

cd clients/go
go mod tidy -diff
go vet ./...
must_say '^ok .*[0-9]s$' go test -race -count=1 ./...

# As a program outside of this tree has it.
mkdir "$work/program"
cp example_test.go "$work/program/program_test.go"
cd "$work/program"
go mod init program 2>/dev/null
go mod edit -require sentiment-analyzer-pro/clients/go@v0.0.0 -replace sentiment-analyzer-pro/clients/go="$OLDPWD"
GOFLAGS=-buildvcs=false go mod tidy
go vet ./...
