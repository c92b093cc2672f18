# Sourced: grpcurl, built once with Go into $CACHE/bin, is $grpcurl.
: "${CACHE:?the folder for builds: make sets it}"
version=v1.9.4
grpcurl=$CACHE/bin/grpcurl-$version
if [ ! -x "$grpcurl" ]; then
  GOBIN=$CACHE/bin go install "github.com/fullstorydev/grpcurl/cmd/grpcurl@$version"
  mv "$CACHE/bin/grpcurl" "$grpcurl"
fi
