# Sourced: grpcurl, built once with Go into $CACHE/bin, is $grpcurl.
: "${CACHE:?the folder for builds: make sets it}"
. test/support/go-program.sh
version=v1.9.4
grpcurl=$CACHE/bin/grpcurl-$version
go_program "$grpcurl" "github.com/fullstorydev/grpcurl/cmd/grpcurl@$version"
