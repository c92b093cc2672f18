.DEFAULT_GOAL := help
SHELL := /bin/bash
# It knows how to make a file x of x.sh, and would do so with a folder x beside it.
MAKEFLAGS += --no-builtin-rules
# npm scripts and these targets run on the pinned Node of package.json, whatever the machine has.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
# onnxruntime's Python and the benchmarks' own tell Microsoft about the models they load otherwise; the server does not let its own.
export ORT_DISABLE_TELEMETRY ?= 1
BUILT := node_modules/.package-lock.json
# What takes long to install or build lies outside the tree, so that a fresh clone finds it again.
CACHE ?= $(HOME)/.cache/sentiment-analyzer-pro
VENV := $(CACHE)/training-venv
TRITON := $(CACHE)/triton-venv
REDIS := $(CACHE)/redis
PROMETHEUS := $(CACHE)/prometheus
NGINX := $(CACHE)/nginx
PODMAN := $(CACHE)/podman
HADOLINT := $(CACHE)/hadolint-venv
DOCKER := $(CACHE)/docker
GHZ := $(CACHE)/bin/ghz-v0.121.0
SPARK := $(CACHE)/spark-venv
PYTHON_CLIENT := $(CACHE)/python-client-venv
SCHEMATHESIS := $(CACHE)/schemathesis-venv
LOCUST := $(CACHE)/locust-venv
ARTILLERY := $(CACHE)/artillery
AB := $(CACHE)/ab
HELM := $(CACHE)/helm
KUBERNETES := $(CACHE)/kubernetes
PEER_NAMES = fastapi ray bentoml litserve mlserver
DATA ?= data/sentiment
# Of what is named alone, where package.json names all tests. Of several files mocha only warns that one is missing: a call each.
MOCHA = mocha --no-package --fail-zero --forbid-only --enable-source-maps
# How glibc has memory. That of a model that is unloaded goes back to the system: blocks of that size are kept otherwise. All threads share two arenas,
# where up to eight a core each keep what was freed in them. Pages are large ones where the system has them on request: a CPU looks up fewer.
ALLOCATION = MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=131072 MALLOC_TRIM_THRESHOLD_=131072 GLIBC_TUNABLES=glibc.malloc.hugetlb=1
# Threads that spin while they wait halve the speed of a machine that has anything else to do.
PIPELINE = PYTHONPATH=training OMP_WAIT_POLICY=PASSIVE $(VENV)/bin/python -m sentiment_training
TRAINING = --data $(DATA) --work build/training
THREADS ?= 2
REPOSITORY ?= triton-model-repo

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 18

run: build ## install, build and start the server on 127.0.0.1:50051, and beside it, where Go is there, the REST bridge on 127.0.0.1:8080 (REST_BRIDGE=false: without)
	$(ALLOCATION) exec clients/gateway/beside.sh node dist/server/main.js

run-triton: build $(TRITON)/done ## the server in front of a real Triton, on the CPU; TRITON_GRPC_PORT=8001 and the like move it
	exec node dist/test/support/run-triton.js

test: check build $(TRITON)/done $(REDIS)/done $(PROMETHEUS)/done ## all checks and tests that need no more than npm, pip and apt (without root)
	npm run --silent test -- $(MOCHA_ARGS)

test-full: test $(VENV)/done $(SPARK)/done $(PYTHON_CLIENT)/done $(NGINX)/done $(SCHEMATHESIS)/done $(PODMAN)/done $(HADOLINT)/done $(HELM)/done $(KUBERNETES)/done $(DOCKER)/done ## the same, and what takes longer or needs more than npm, pip and apt: Go, Rust 1.88, Java 17 with Maven, root for images and Docker; the lines say what each is
	CACHE=$(CACHE) test/full/grpcurl.sh
	CACHE=$(CACHE) test/full/key-refusals.sh
	CACHE=$(CACHE) test/full/tritonclient.sh
	CACHE=$(CACHE) test/full/perf-analyzer.sh
	CACHE=$(CACHE) test/full/import-model.sh
	CACHE=$(CACHE) test/full/spark.sh
	$(MAKE) --silent python-test
	$(MAKE) --silent go-test
	$(MAKE) --silent rust-test
	$(MAKE) --silent java-test
	CACHE=$(CACHE) test/full/clients-agree.sh
	$(MOCHA) dist/test/full/cli-resume.js
	CACHE=$(CACHE) test/full/gateway.sh
	CACHE=$(CACHE) test/full/console.sh
	test/full/migration.sh
	$(MAKE) --silent load-schemathesis
	test/full/make-run-bridge.sh
	$(MOCHA) dist/test/full/go-modules.js
	CACHE=$(CACHE) test/full/collector.sh $(MOCHA) dist/test/full/collector.js
	$(MOCHA) dist/test/full/stopped-readers.js
	CACHE=$(CACHE) test/full/toxiproxy.sh mocha -g 'the Redis cache while Redis fails'
	CACHE=$(CACHE) $(MOCHA) dist/test/full/rolling-restart.js
	$(MAKE) --silent gateway
	CACHE=$(CACHE) $(MOCHA) 'dist/test/full/nginx*.js'
	CACHE=$(CACHE) test/full/images.sh
	CACHE=$(CACHE) test/full/workflows.sh
	CACHE=$(CACHE) test/full/release.sh
	CACHE=$(CACHE) test/full/helm.sh
	CACHE=$(CACHE) $(MOCHA) dist/test/full/kubernetes.js
	CACHE=$(CACHE) test/full/compose.sh $(MOCHA) dist/test/full/compose.js
	CACHE=$(CACHE) test/full/compose.sh $(MOCHA) dist/test/full/compose-run.js
	CACHE=$(CACHE) test/full/collector.sh test/full/compose.sh test/full/docker.sh
	CACHE=$(CACHE) test/full/collector.sh node dist/test/chaos/main.js --minutes 1 --seed 1

# With a real OpenTelemetry Collector where `make test-full` has built it, else with a receiver of its own.
chaos: build $(TRITON)/done $(REDIS)/done ## the server under load for MINUTES=10 while its processes, Triton, Redis and the collector are killed and frozen by chance (SEED=1); no call may fail
	CACHE=$(CACHE) $(if $(wildcard $(CACHE)/bin/otelcol-*),test/full/collector.sh) node dist/test/chaos/main.js --record $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED))

soak: build $(REDIS)/done ## whether the server's memory grows in MINUTES=60, after WARM_UP=30, of a steady, mixed load of RATE calls a second
	CACHE=$(CACHE) $(ALLOCATION) node dist/benchmarks/soak.js $(if $(MINUTES),--minutes $(MINUTES)) $(if $(WARM_UP),--warm-up $(WARM_UP)) $(if $(RATE),--rate $(RATE))

audit: build ## known weaknesses of the packages (asks the registry), licences, and that all is pinned
	$(MOCHA) 'dist/test/unit/supply-chain/*.test.js'
	deploy/supply-chain/audit.sh

sbom: build ## what is shipped, packages, models, the bridge with its Go modules and its page, with their digests, as CycloneDX: build/sbom.cdx.json
	@mkdir -p build
	node dist/deploy/supply-chain/write-sbom.js build/sbom.cdx.json

fuzz: build ## hostile calls at a server, CALLS (100,000) of them by SEED (1); CASE=<n> repeats one: test/fuzz/README.md
	node dist/test/fuzz/run.js $(if $(CALLS),--calls $(CALLS)) $(if $(SEED),--seed $(SEED)) $(if $(CASE),--case $(CASE)) $(if $(KINDS),--kinds $(KINDS))

check: $(BUILT) ## formatting, lint, import rules, types, API breaks, unused code, generated files
	npm run --silent check

build: dist/.done ## TypeScript to dist/

# Folders too, in which a file may be gone (not the uppermost: `test` and `docs` are targets). Only when something has changed: dist/ is made anew as a whole, under any server that runs from it.
SOURCES := $(shell find server clients/node benchmarks deploy docs test -mindepth 1 \( -name node_modules -o -name results -o -name '.*' \) -prune \
  -o \( -name '*.ts' -o -name '*.binpb' -o -type d \) -print)
dist/.done: $(BUILT) $(SOURCES) package.json tsconfig.json clients/node/tsconfig.json proto/inference/model_config.proto
	npm run --silent build
	@touch $@

proto: $(BUILT) ## server/gen from proto/
	npm run --silent proto

spark-proto: $(SPARK)/done ## clients/spark/sentiment_spark/gen from proto/
	clients/spark/generate.sh $(SPARK)/bin/python

python-proto: $(PYTHON_CLIENT)/done ## clients/python/sentiment_client/gen from proto/
	CACHE=$(CACHE) clients/python/generate.sh

go-proto: $(BUILT) ## clients/go/gen from proto/ (needs Go)
	CACHE=$(CACHE) clients/go/generate.sh

rust-proto: ## clients/rust/src/gen from proto/ (needs Rust)
	CACHE=$(CACHE) clients/rust/generate.sh

go-test: build ## the Go client against real servers (needs Go)
	CACHE=$(CACHE) clients/go/test.sh

rust-test: build ## the Rust client against real servers (needs Rust 1.88)
	CACHE=$(CACHE) clients/rust/test.sh

java-test: build ## the Java client against real servers (needs Java 17 and Maven)
	CACHE=$(CACHE) clients/java/test.sh

python-test: build $(PYTHON_CLIENT)/done ## the Python client, as it is installed, against real servers
	CACHE=$(CACHE) clients/python/test.sh

node-client: build ## the client for Node and the command line as a package: build/*.tgz
	@mkdir -p build
	clients/node/pack.sh build

gateway: ## the REST bridge, one static binary: build/sentiment-gateway and in it the console's page (needs Go and npm)
	@mkdir -p build
	clients/console/build.sh
	cd clients/gateway && CGO_ENABLED=0 GOFLAGS='-mod=readonly -buildvcs=false' go build -trimpath -ldflags='-s -w' -o ../../build/sentiment-gateway .

images: ## the images of the server and the REST bridge, by Docker, podman or buildah (BUILDER); ARGS go to their builds
	deploy/docker/build.sh $(ARGS)

version: build ## VERSION=0.2.0 into every file that names it, and what is unreleased in the changelog under it
	node dist/deploy/release/version.js set "$(VERSION)"

release: build $(HELM)/done ## the files of a release in build/release: images (by Docker, podman or buildah), chart, bridge, client for Node, bill of materials, checksums (needs Go)
	CACHE=$(CACHE) deploy/release/release.sh build/release

gateway-proto: $(BUILT) ## clients/gateway/gen from proto/ (needs Go)
	CACHE=$(CACHE) clients/gateway/generate.sh

release-proto: $(BUILT) ## take the API as it is now for the one that later changes must not break
	buf build proto --path proto/sentiment -o proto/released.binpb

docs: build ## the README's table of settings, from the schema, and the Helm chart's values, its schema and its tables
	node dist/docs/settings-table.js README.md
	node dist/deploy/helm/write-chart.js deploy/helm/sentiment-analyzer-pro

dashboards: build ## Grafana's dashboards, from deploy/grafana
	node dist/deploy/grafana/write-dashboards.js deploy/grafana/dashboards

# One after the other: each takes turns with what it is compared with, and has the machine to itself.
# Those too that come after one that does not reach what is wanted of it.
bench: ## all benchmarks of the server, one after the other, and their charts (needs Go)
	$(MAKE) --keep-going bench-throughput bench-policies bench-cached bench-processes bench-latency bench-after-quiet bench-overload bench-beside-lists bench-triton bench-stream bench-profile bench-chart

bench-throughput: build $(TRITON)/done $(GHZ) ## texts a second of every call and tier against a plain onnxruntime loop, embedded and with Triton
	CACHE=$(CACHE) $(ALLOCATION) node dist/benchmarks/throughput.js $(ARGS)

bench-policies: build $(GHZ) ## the same with each way to put batches together
	CACHE=$(CACHE) $(ALLOCATION) node dist/benchmarks/throughput.js --name policies --tiers fast,balanced --servers embedded,guide,fixed-8,fixed-32,fifo $(ARGS)

bench-latency: build ## one call alone, tier by tier; a short text behind a long one
	node dist/benchmarks/latency.js $(ARGS)

bench-after-quiet: build $(GHZ) ## what calls cost after a quiet minute and a half, and the memory meanwhile
	CACHE=$(CACHE) node dist/benchmarks/after-quiet.js $(ARGS)

bench-overload: build $(GHZ) ## goodput, latency and refusals at 0.5 to 3 times what the server can do
	CACHE=$(CACHE) node dist/benchmarks/overload.js $(ARGS)

bench-beside-lists: build $(GHZ) ## what single calls cost behind lists that always wait, of the same key and of another
	CACHE=$(CACHE) node dist/benchmarks/beside-lists.js $(ARGS)

bench-long-texts: build $(GHZ) ## what texts of 10,000 characters cost callers with short ones, read on the event loop and in threads (TOKENIZERS_PARALLELISM)
	CACHE=$(CACHE) node dist/benchmarks/long-texts.js $(ARGS)

bench-reading: build ## from which length on a text is worth the way to a reading thread (TOKENIZERS_PARALLELISM)
	node dist/benchmarks/reading.js $(ARGS)

bench-neighbour: build $(GHZ) ## what a key within its quota notices of another that sends ten times its own, round by round
	CACHE=$(CACHE) node dist/benchmarks/noisy-neighbour.js $(ARGS)

bench-tracing: build $(GHZ) ## what tracing costs: cached unary calls with all, one in a hundred and none of them traced (needs Go)
	CACHE=$(CACHE) test/full/collector.sh node dist/benchmarks/tracing.js $(ARGS)

bench-collector-faults: build ## what callers notice while a real OpenTelemetry Collector is killed and frozen (needs Go)
	CACHE=$(CACHE) test/full/collector.sh node dist/benchmarks/collector-faults.js $(ARGS)

bench-gateway: build gateway ## what the REST bridge adds to a cached call, and leaves of the throughput of batches of 32, against gRPC (needs Go)
	node dist/benchmarks/gateway.js $(ARGS)

load-locust: build $(LOCUST)/done ## the REST bridge under 10, 50 and 100 calls a second by Locust, PHASE=60 seconds each; fails where a p95 is over 100 ms (needs Go)
	CACHE=$(CACHE) benchmarks/load.sh locust $(PHASE)

load-artillery: build $(ARTILLERY)/done ## the same by Artillery (590 MB)
	CACHE=$(CACHE) benchmarks/load.sh artillery $(PHASE)

load-ab: build $(AB)/done ## the same calls by ab, one kind after the other, over as many connections as would be busy if each took 100 ms
	CACHE=$(CACHE) benchmarks/load.sh ab $(PHASE)

load-schemathesis: build $(SCHEMATHESIS)/done ## what the REST bridge's document allows, and what it does not, for MINUTES=1 (needs Go and jq)
	CACHE=$(CACHE) test/full/schemathesis.sh $(MINUTES)

bench-stream: build ## a million lines through one AnalyzeStream: lines a second, and the server's memory
	node dist/benchmarks/stream.js $(ARGS)

bench-profile: build $(GHZ) $(REDIS)/done $(TRITON)/done ## CPU profiles of the hot paths, with the ten lines that take most of their time
	CACHE=$(CACHE) node dist/benchmarks/profile.js

bench-chart: build ## the results of the benchmarks as SVG
	node dist/benchmarks/chart.js

bench-cache: build ## hit rates of the memory tier and of other ways to evict, simulated: Zipf traffic, scans, change; a markdown table
	node dist/benchmarks/cache-policies.js

bench-cached: build $(GHZ) ## cached unary calls a second against bare nice-grpc and grpc-js servers, by ghz (needs Go)
	CACHE=$(CACHE) node dist/benchmarks/cached-unary.js

bench-processes: build $(GHZ) ## cached unary calls a second of one process and of two behind one port, by ghz (needs Go)
	CACHE=$(CACHE) node dist/benchmarks/processes.js

bench-triton: build $(TRITON)/done ## the server in front of a real Triton against ready-made tensors; DATA=<folder> compares answers too
	CACHE=$(CACHE) node dist/benchmarks/triton.js $(if $(wildcard $(DATA)),--data $(DATA))

bench-triton-faults: build $(TRITON)/done ## what callers notice while a real Triton is killed and frozen
	CACHE=$(CACHE) node dist/benchmarks/triton-faults.js

# Slow by toxiproxy where `make test-full` has built it, else by a proxy of the benchmark's own. What toxiproxy.sh runs has to use it: not without `slow`.
bench-redis-faults: build $(REDIS)/done ## what callers notice while a real Redis fails, against none; FAULTS="killed frozen" runs only those
	CACHE=$(CACHE) $(if $(and $(wildcard $(CACHE)/bin/toxiproxy-*),$(findstring slow,$(or $(FAULTS),slow))),test/full/toxiproxy.sh) node dist/benchmarks/redis-faults.js $(FAULTS)

plan: build ## servers, cores, Triton instances and Redis memory for a load: RATE=<texts a second>, and what docs/capacity.md names
	@node dist/benchmarks/plan.js

plan-check: build $(GHZ) ## what the plan expects of a server here at RATE (default 400) texts a second of TIER (fast), and what it measures
	CACHE=$(CACHE) node dist/benchmarks/plan-check.js $(if $(RATE),--rate $(RATE)) $(if $(TIER),--tier $(TIER)) $(if $(SECONDS),--seconds $(SECONDS)) $(if $(KEEP),--keep)

plan-measure: build $(REDIS)/done $(GHZ) ## what `make plan` reckons with, measured on this machine into benchmarks/plan/costs.json; wants it quiet
	CACHE=$(CACHE) node dist/benchmarks/plan-measure.js

bench-peers: build $(PEER_NAMES:%=$(CACHE)/peers/%/done) ## other servers of the same model beside this one; PEERS="--only fastapi,ray --rounds 3" says which (needs Python 3.11)
	CACHE=$(CACHE) node dist/benchmarks/peers.js $(PEERS)

models: build $(VENV)/done ## train, export, quantize and score all tiers; needs DATA=<folder>
	@test -d $(DATA) || { echo "DATA=$(DATA) is not there: training/README.md says how to make it"; exit 1; }
	$(PIPELINE).train --tier accurate $(TRAINING) --threads $(THREADS)
	$(PIPELINE).export --tier accurate $(TRAINING) --threads $(THREADS) --repository $(REPOSITORY)
	$(PIPELINE).teach $(TRAINING) --threads $(THREADS) --repository $(REPOSITORY)
	for tier in balanced fast; do \
	  $(PIPELINE).train --tier $$tier $(TRAINING) --threads $(THREADS) && \
	  $(PIPELINE).export --tier $$tier $(TRAINING) --threads $(THREADS) --repository $(REPOSITORY) || exit 1; \
	done
	$(PIPELINE).cascade --data $(DATA) --threads $(THREADS) --repository $(REPOSITORY)
	$(MAKE) models-score WRITE=1

models-score: build ## accuracy of the committed models through the server; needs DATA=<folder>; WRITE=1 writes it into the cards
	node dist/benchmarks/score-models.js --data $(DATA) $(if $(WRITE),--write)

import-model: $(VENV)/done ## serve your own model: NAME=<folder or hub name> TIER=<tier>; training/README.md has the rest
	@$(PIPELINE).import_model --name "$(NAME)" --repository "$(REPOSITORY)" \
	  $(if $(TIER),--tier "$(TIER)") $(if $(PRESET),--preset "$(PRESET)") $(if $(LABELS),--labels "$(LABELS)") \
	  $(if $(MAX_LENGTH),--max-length "$(MAX_LENGTH)") $(if $(SCORE),--score "$(SCORE)") \
	  $(if $(TEMPERATURE),--temperature "$(TEMPERATURE)") $(if $(QUANTIZE),--quantize)

quantization: $(VENV)/done ## what ways to quantize a trained TIER cost; needs DATA=<folder> and build/training
	$(PIPELINE).compare --tier $(TIER) $(TRAINING)

clean: ## remove what the targets made in the tree
	rm -rf dist build coverage node_modules

$(BUILT): package.json package-lock.json .npmrc
	ONNXRUNTIME_NODE_INSTALL=skip npm ci
	@touch $@

$(GHZ): benchmarks/ghz/install.sh
	CACHE=$(CACHE) benchmarks/ghz/install.sh
	@touch $@

$(VENV)/done: training/requirements.txt
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --requirement training/requirements.txt
	@touch $@

# By what is in it: a fresh clone's file is newer, but no reason to make it anew under a Triton that runs.
$(TRITON)/done: test/support/triton/requirements.txt
	@cmp --quiet $< $@ || { echo "installing Triton into $(TRITON)"; python3 -m venv --clear $(TRITON) && \
	  $(TRITON)/bin/pip install --quiet --no-deps --only-binary :all: --requirement $< && cp $< $@; }
	@touch $@

# By what is in it, like Triton.
$(CACHE)/peers/%/done: benchmarks/peers/requirements/%.txt
	@cmp --quiet $< $@ || { echo "installing $* into $(@D)"; python3.11 -m venv --clear $(@D) && \
	  $(@D)/bin/pip install --quiet --no-deps --only-binary :all: --requirement $< && cp $< $@; }
	@touch $@

# By what is in it, like Triton.
$(REDIS)/done: test/support/redis/install.sh
	@cmp --quiet $< $@ || { echo "unpacking a Redis into $(REDIS)"; CACHE=$(CACHE) $< && cp $< $@; }
	@touch $@

# By what is in it, like Triton.
$(PROMETHEUS)/done: test/support/prometheus/install.sh
	@cmp --quiet $< $@ || { echo "unpacking a Prometheus into $(PROMETHEUS)"; CACHE=$(CACHE) $< && cp $< $@; }
	@touch $@

# By what is in it, like Triton.
$(NGINX)/done: test/support/nginx/install.sh
	@cmp --quiet $< $@ || { echo "unpacking an nginx into $(NGINX)"; CACHE=$(CACHE) $< && cp $< $@; }
	@touch $@

# By what is in it, like Triton.
$(PODMAN)/done: test/support/podman/install.sh
	@cmp --quiet $< $@ || { echo "unpacking a podman into $(PODMAN), and a Debian for it"; CACHE=$(CACHE) $< && cp $< $@; }
	@touch $@

# By what is in it, like Triton.
$(HADOLINT)/done: test/full/hadolint/requirements.txt
	@cmp --quiet $< $@ || { echo "installing hadolint into $(HADOLINT)"; python3 -m venv --clear $(HADOLINT) && \
	  $(HADOLINT)/bin/pip install --quiet --no-deps --only-binary :all: --requirement $< && cp $< $@; }
	@touch $@

# By what is in it, like Triton.
$(HELM)/done: test/support/helm/install.sh test/support/helm/schemas.py test/support/custom-resources.sh
	@cat $^ | cmp --quiet - $@ || { echo "building helm and kubeconform into $(HELM)"; CACHE=$(CACHE) $< && cat $^ >$@; }
	@touch $@

# By what is in it, like Triton.
$(KUBERNETES)/done: test/support/kubernetes/install.sh test/support/kubernetes/go.mod test/support/custom-resources.sh
	@cat $^ | cmp --quiet - $@ || { echo "building a Kubernetes control plane into $(KUBERNETES)"; CACHE=$(CACHE) $< && cat $^ >$@; }
	@touch $@

# By what is in it, like Triton.
$(DOCKER)/done: test/support/docker/install.sh
	@cmp --quiet $< $@ || { echo "unpacking a Docker engine into $(DOCKER)"; CACHE=$(CACHE) $< && cp $< $@; }
	@touch $@

# By what is in it, like Triton.
$(SPARK)/done: clients/spark/requirements.txt
	@cmp --quiet $< $@ || { echo "installing Spark into $(SPARK)"; python3 -m venv --clear $(SPARK) && \
	  $(SPARK)/bin/pip install --quiet --requirement $< && cp $< $@; }
	@touch $@

# By what is in it, like Triton.
$(PYTHON_CLIENT)/done: clients/python/requirements.txt
	@cmp --quiet $< $@ || { echo "installing what the Python client's tests need into $(PYTHON_CLIENT)"; python3 -m venv --clear $(PYTHON_CLIENT) && \
	  $(PYTHON_CLIENT)/bin/pip install --quiet --no-deps --only-binary :all: --requirement $< && cp $< $@; }
	@touch $@

# By what is in it, like Triton.
$(SCHEMATHESIS)/done: test/full/schemathesis/requirements.txt
	@cmp --quiet $< $@ || { echo "installing schemathesis into $(SCHEMATHESIS)"; python3 -m venv --clear $(SCHEMATHESIS) && \
	  $(SCHEMATHESIS)/bin/pip install --quiet --no-deps --requirement $< && cp $< $@; }
	@touch $@

# By what is in it, like Triton.
$(LOCUST)/done: benchmarks/locust/requirements.txt
	@cmp --quiet $< $@ || { echo "installing Locust into $(LOCUST)"; python3 -m venv --clear $(LOCUST) && \
	  $(LOCUST)/bin/pip install --quiet --no-deps --requirement $< && cp $< $@; }
	@touch $@

# By what is in it, like Triton.
$(ARTILLERY)/done: benchmarks/artillery/install.sh
	@cmp --quiet $< $@ || { echo "installing Artillery into $(ARTILLERY)"; CACHE=$(CACHE) $< && cp $< $@; }
	@touch $@

# By what is in it, like Triton.
$(AB)/done: benchmarks/ab/install.sh
	@cmp --quiet $< $@ || { echo "unpacking ab into $(AB)"; CACHE=$(CACHE) $< && cp $< $@; }
	@touch $@

.PHONY: bench-after-quiet go-test rust-test java-test python-test load-schemathesis bench-reading bench-beside-lists bench-long-texts version release images python-proto go-proto rust-proto node-client bench-gateway load-locust load-artillery load-ab gateway gateway-proto fuzz chaos soak audit sbom dashboards bench-neighbour bench-tracing bench-collector-faults bench-peers bench-throughput bench-policies bench-stream bench-profile plan plan-check plan-measure spark-proto help bench-chart bench-latency bench-overload run run-triton test test-full check build proto release-proto docs bench bench-cache bench-cached bench-triton bench-triton-faults models models-score import-model quantization clean bench-redis-faults bench-processes
