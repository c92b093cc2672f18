#!/usr/bin/env bash
# The REST bridge, as it is built, before the running server: each path by curl. Needs Go; what it builds is in $CACHE.
set -euo pipefail
: "${CACHE:?the folder for builds: make sets it}"
. test/support/must-say.sh
. test/support/running-server.sh
. test/support/running-bridge.sh
export GOFLAGS='-mod=readonly -buildvcs=false'

work=$(mktemp -d)
end() {
  stop_bridge
  stop_server
  rm -rf "$work"
}
trap end EXIT

clients/gateway/generate.sh "$work"
diff -r clients/gateway/gen "$work/clients/gateway/gen" || { echo 'clients/gateway/gen is out of date: run make gateway-proto'; exit 1; }
unformatted=$(gofmt -l clients/gateway)
[ -z "$unformatted" ] || { echo "run gofmt -w: $unformatted"; exit 1; }
(cd clients/gateway && go vet ./... && must_say '^ok .*[0-9]s$' go test -count=1 ./...)
make --silent gateway
file build/sentiment-gateway | grep -q 'statically linked' || { echo 'the binary is not static'; exit 1; }

# Certificates of a CA, of the server and the bridge (one for both: this machine), and of a client.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=ca -keyout "$work/ca.key" -out "$work/ca.pem" 2>/dev/null
for name in server client; do
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$name" -keyout "$work/$name.key" -out "$work/$name.csr" 2>/dev/null
  openssl x509 -req -in "$work/$name.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial -days 2 \
    -extfile <(echo 'subjectAltName=IP:127.0.0.1') -out "$work/$name.pem" 2>/dev/null
done

export API_KEYS_FILE=$work/keys.json
key=$(node dist/server/keys-cli.js new --name good 2>/dev/null)
PREFETCH_MODELS=false DEFAULT_TIER=fast TLS_CERT=$work/server.pem TLS_KEY=$work/server.key TLS_CLIENT_CA=$work/ca.pem start_server "$work/server.log"

export SENTIMENT_CA=$work/ca.pem SENTIMENT_CERT=$work/client.pem SENTIMENT_KEY=$work/client.key DRAIN_DELAY=2 LOG_LEVEL=debug

failed=0
# What it is, the status and a part of headers or body that must come, and what goes to curl.
expect() {
  local what=$1 code=$2 part=$3 said compact
  shift 3
  said=$(curl -sS -i --max-time 20 --compressed "$@" 2>&1) || true
  # protojson writes spaces or none, as it likes.
  compact=$(tr -d '\r' <<<"$said" | sed -E 's/": +/":/g; s/, +"/,"/g')
  if grep -qE "^HTTP/[0-9.]+ $code" <<<"$said" && grep -qiE -- "$part" <<<"$compact"; then
    echo "ok: $what: $code"
  else
    echo "not $code with $part: $what: ${said:0:1500}"
    failed=1
  fi
}

CORS_ORIGINS=https://shop.example start_bridge "$work/bridge.log"
auth=(-H "authorization: Bearer $key")
analyze=(-d '{"text":"I love this product!","tier":"TIER_FAST"}' "$url/api/analyze")
expect 'one text' 200 '"label":"LABEL_POSITIVE"' "${auth[@]}" "${analyze[@]}"
expect 'a key in x-api-key' 200 '"label":"LABEL_POSITIVE"' -H "x-api-key: $key" "${analyze[@]}"
expect 'a trace' 200 '"label":"LABEL_POSITIVE"' -H 'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' "${auth[@]}" "${analyze[@]}"
expect 'no key' 401 '"reason":"KEY_MISSING"' "${analyze[@]}"
expect 'a wrong key' 401 'www-authenticate: bearer' -H 'x-api-key: sap_wrong' "${analyze[@]}"
expect 'an empty text' 400 '"field":"text"' "${auth[@]}" -d '{"text":""}' "$url/api/analyze"
expect 'an unknown tier' 400 '"reason":"TIER_UNKNOWN"' "${auth[@]}" -d '{"text":"a","tier":9}' "$url/api/analyze"
expect 'a batch, one text bad' 200 '"index":1,"error":.*TEXT_EMPTY' "${auth[@]}" -d '{"texts":["Terrible quality"," "]}' "$url/api/analyze/batch"
expect 'too many texts' 400 '"reason":"BATCH_TOO_LARGE"' "${auth[@]}" -d "{\"texts\":[\"a\"$(printf ',"a"%.0s' {1..100})]}" "$url/api/analyze/batch"
(printf '{"texts":["a"' && for _ in {1..100001}; do printf ',"a"'; done && printf ']}') >"$work/many"
expect 'far too many texts' 413 '"reason":"BODY_TOO_LARGE"' "${auth[@]}" --data-binary "@$work/many" "$url/api/analyze/batch"
expect 'the models' 200 '"name":"sentiment_fast"' "${auth[@]}" "$url/api/models"
expect 'health' 200 '\{"status":"SERVING"\}' "$url/health"
expect 'the OpenAPI document' 200 '"/api/analyze"' "$url/openapi.json"
expect 'gzip' 200 'content-encoding: gzip' "$url/openapi.json"
expect 'the console' 200 "content-security-policy: default-src 'none'; script-src 'self'" "$url/"
expect 'no live view unless it is set' 200 '\{"live":null\}' "$url/api/live"
expect 'a preflight' 204 'access-control-allow-origin: https://shop.example' -X OPTIONS -H 'origin: https://shop.example' \
  -H 'access-control-request-method: POST' -H 'access-control-request-headers: authorization,content-type' "$url/api/analyze"
expect 'no JSON' 400 '"reason":"REQUEST_INVALID"' "${auth[@]}" -d '{"text":' "$url/api/analyze"
expect 'an unknown path' 404 '"reason":"PATH_UNKNOWN"' "$url/api/nothing"
expect 'a wrong method' 405 'allow: POST' "$url/api/analyze"
expect 'a deadline that is over' 504 '"reason":"DEADLINE"' -H 'grpc-timeout: 1n' "${auth[@]}" "${analyze[@]}"
head -c 11000000 /dev/zero | tr '\0' a >"$work/large"
expect 'a body over 10 MB' 413 '"reason":"BODY_TOO_LARGE"' "${auth[@]}" --data-binary "@$work/large" "$url/api/analyze"
expect 'a message over the server'"'"'s limit' 413 '"reason":"BODY_TOO_LARGE"' "${auth[@]}" \
  --data-binary @<(echo "{\"text\":\"$(head -c 9000000 "$work/large")\"}") "$url/api/analyze"
expect 'metrics' 200 'sentiment_gateway_requests_total\{code="200",endpoint="/api/analyze",method="POST"\} 3' "$url/metrics"

for i in {1..2000}; do echo "{\"id\":\"$i\",\"text\":\"Text $((i % 50)) is fine\"}"; done >"$work/lines"
curl -sS --max-time 60 "${auth[@]}" -T "$work/lines" -X POST "$url/api/analyze/stream" >"$work/answers"
answered=$(grep -oE '^\{"result":\{"id": ?"[0-9]+"' "$work/answers" | sort -u | wc -l)
[ "$answered" = 2000 ] && echo "ok: a stream: $answered lines" || { echo "$answered of 2000 lines: $(tail -c 500 "$work/answers")"; failed=1; }
expect 'a stream without a key' 401 '"reason":"KEY_MISSING"' -d '{"text":"a"}' "$url/api/analyze/stream"

# A stream that stays open, and the end of the bridge.
mkfifo "$work/texts"
curl -sSN --max-time 60 "${auth[@]}" -T - -X POST "$url/api/analyze/stream" <"$work/texts" >"$work/open" &
reader=$!
exec 3>"$work/texts"
echo '{"id":"first","text":"a"}' >&3
for _ in {1..100}; do grep -q first "$work/open" && break || sleep 0.1; done
kill "$bridge"
sleep 0.5
expect 'health, draining' 503 '\{"status":"NOT_SERVING"\}' "$url/health"
expect 'a text, draining' 200 '"label":"LABEL_POSITIVE"' "${auth[@]}" "${analyze[@]}"
echo '{"id":"second","text":"a"}' >&3
wait "$bridge" && echo 'ok: the bridge ended well' || { echo "the bridge ended with $?"; failed=1; }
exec 3>&-
wait "$reader" || true
[ "$(grep -cE '"id": ?"(first|second)"' "$work/open")" = 2 ] && tail -1 "$work/open" | grep -q DRAINING &&
  echo 'ok: the stream was told' || { echo "the stream: $(cat "$work/open")"; failed=1; }
for endpoint in /api/analyze /api/analyze/stream; do
  grep -q "\"endpoint\":\"$endpoint\",\"code\":200" "$work/bridge.log" || { echo "no call of $endpoint is in the log"; failed=1; }
done
if grep -qE "$key|I love this|is fine" "$work/bridge.log"; then
  echo 'a key or a text is in the log'
  failed=1
fi

TLS_CERT=$work/server.pem TLS_KEY=$work/server.key start_bridge "$work/bridge.log"
at=${url#http://}
expect 'TLS, HTTP/2' 200 '"label":"LABEL_POSITIVE"' --http2 --cacert "$work/ca.pem" "${auth[@]}" "${analyze[@]:0:2}" "https://$at/api/analyze"
answered=$(curl -sS --max-time 60 --http2 --cacert "$work/ca.pem" "${auth[@]}" -T "$work/lines" -X POST "https://$at/api/analyze/stream" | grep -c '"result"')
[ "$answered" = 2000 ] && echo "ok: a stream by HTTP/2: $answered lines" || { echo "$answered of 2000 lines by HTTP/2"; failed=1; }
expect 'without TLS' 400 'HTTP request to an HTTPS server' "$url/health"

# The server is gone.
stop_server
expect 'health without the server' 503 '\{"status":"NOT_SERVING"\}' --cacert "$work/ca.pem" "https://$at/health"
expect 'a text without the server' 503 'retry-after: 1' --cacert "$work/ca.pem" "${auth[@]}" "${analyze[@]:0:2}" "https://$at/api/analyze"
server=
exit $failed
