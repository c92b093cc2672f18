#!/usr/bin/env bash
# What callers are told whose keys are missing, wrong, revoked, expired or without the right, by grpcurl; and how long each refusal takes.
set -euo pipefail
. test/support/grpcurl.sh
. test/support/running-server.sh

folder=$(mktemp -d)
trap 'stop_server; rm -rf "$folder"' EXIT
export API_KEYS_FILE=$folder/keys.json
keys() { node dist/server/keys-cli.js "$@" 2>>"$folder/said"; }

good=$(keys new --name good --rights analyze,admin)
reader=$(keys new --name reader)
operator=$(keys new --name operator --rights admin)
revoked=$(keys new --name revoked)
expired=$(keys new --name expired --expires "$(date -u -d '+2 seconds' +%FT%TZ)")
unknown=$(keys new --name unknown --file "$folder/elsewhere.json")
# Of a key that there is, with another secret.
wrong=${reader:0:21}${unknown:21}
keys revoke --name revoked
# A line in the log for each call, since none of them may have its key.
LOG_SAMPLE=1 start_server "$folder/log"
# Until the date is over.
sleep 2.5

analyze=sentiment.v1.SentimentService/Analyze
status=sentiment.v1.AdminService/GetStatus
infer=inference.GRPCInferenceService/ModelMetadata
failed=0
# What it is, the method, the code and reason that it must get, the key, the request. The protos are named, since reflection asks for a key too.
expect() {
  local header=() data=${6:-} said code reason
  [ -n "$data" ] || data='{}'
  [ -z "$5" ] || header=(-H "authorization: Bearer $5")
  said=$("$grpcurl" -plaintext -format-error -import-path proto -proto sentiment/v1/sentiment.proto \
    -proto inference/grpc_service.proto -proto google/rpc/error_details.proto \
    "${header[@]}" -d "$data" "$address" "$2" 2>&1) && said='"code": 0'
  code=$(grep -oE '"code": [0-9]+' <<<"$said" | head -1 | grep -oE '[0-9]+' || true)
  reason=$(grep -oE '"reason": "[A-Z_]+"' <<<"$said" | cut -d'"' -f4 || true)
  printf '%-42s %-48s code %-3s %s\n' "$1" "$2" "$code" "$reason"
  if [ "$code $reason" != "$3 $4" ]; then
    echo "expected $3 $4: $said"
    failed=1
  fi
}
OK=0 PERMISSION_DENIED=7 UNAUTHENTICATED=16
text='{"text":"fine","tier":"TIER_FAST"}'
model='{"name":"sentiment_fast"}'
expect 'a good key' $analyze $OK '' "$good" "$text"
expect 'no key' $analyze $UNAUTHENTICATED KEY_MISSING '' "$text"
expect 'a key that nobody made' $analyze $UNAUTHENTICATED KEY_UNKNOWN "$unknown" "$text"
expect 'another secret of a key' $analyze $UNAUTHENTICATED KEY_UNKNOWN "$wrong" "$text"
expect 'a revoked key' $analyze $UNAUTHENTICATED KEY_UNKNOWN "$revoked" "$text"
expect 'an expired key' $analyze $UNAUTHENTICATED KEY_UNKNOWN "$expired" "$text"
expect 'a key without the right to analyze' $analyze $PERMISSION_DENIED NOT_ALLOWED "$operator" "$text"
expect 'a good key' $status $OK '' "$good"
expect 'no key' $status $UNAUTHENTICATED KEY_MISSING ''
expect 'a key that nobody made' $status $UNAUTHENTICATED KEY_UNKNOWN "$unknown"
expect 'a key without the right admin' $status $PERMISSION_DENIED NOT_ALLOWED "$reader"
expect 'a good key' $infer $OK '' "$good" "$model"
expect 'no key' $infer $UNAUTHENTICATED KEY_MISSING '' "$model"
expect 'a key that nobody made' $infer $UNAUTHENTICATED KEY_UNKNOWN "$unknown" "$model"
expect 'a key without the right to analyze' $infer $PERMISSION_DENIED NOT_ALLOWED "$operator" "$model"

ADDRESS=$address UNKNOWN=$unknown WRONG=$wrong REVOKED=$revoked EXPIRED=$expired OPERATOR=$operator \
  node dist/test/full/key-refusals.js
for code in UNAUTHENTICATED PERMISSION_DENIED; do
  grep -q "\"code\":\"$code\"" "$folder/log" || { echo "no call with $code is in the log"; failed=1; }
done
if grep -q sap_ "$folder/log" "$folder/said"; then
  echo 'a key is in a log'
  failed=1
fi
exit $failed
