.DEFAULT_GOAL := help
SHELL := /bin/bash
# npm scripts and these targets run on the pinned Node of package.json, whatever the machine has.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
BUILT := node_modules/.package-lock.json
# What takes long to install or build lies outside the tree, so that a fresh clone finds it again.
CACHE ?= $(HOME)/.cache/sentiment-analyzer-pro
VENV := $(CACHE)/training-venv
DATA ?= data/sentiment

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 18

run: build ## install, build and start the server on 127.0.0.1:50051
	exec node dist/server/main.js

test: check build ## all checks and tests that need no more than npm
	npm run --silent test

test-full: test ## the same, and grpcurl against the running server (needs Go)
	CACHE=$(CACHE) test/full/grpcurl.sh

check: $(BUILT) ## formatting, lint, import rules, types, API breaks, unused code, generated files
	npm run --silent check

build: $(BUILT) ## TypeScript to dist/
	npm run --silent build

proto: $(BUILT) ## server/gen from proto/
	npm run --silent proto

release-proto: $(BUILT) ## take the API as it is now for the one that later changes must not break
	buf build proto --path proto/sentiment -o proto/released.binpb

docs: build ## the README's table of settings, from the schema
	node dist/docs/settings-table.js README.md

bench: build ## AnalyzeBatch against a plain onnxruntime loop, alternating
	node dist/benchmarks/batch-throughput.js

models: build $(VENV)/done ## train, export, quantize and score both tiers; needs DATA=<folder>
	@test -d $(DATA) || { echo "DATA=$(DATA) is not there: training/README.md says how to make it"; exit 1; }
	for tier in balanced fast; do \
	  (cd training && $(VENV)/bin/python -m sentiment_training.train --tier $$tier --data $(abspath $(DATA)) --work $(abspath build/training)) && \
	  (cd training && $(VENV)/bin/python -m sentiment_training.export --tier $$tier --data $(abspath $(DATA)) --work $(abspath build/training) --repository $(abspath triton-model-repo)) || exit 1; \
	done
	$(MAKE) models-score WRITE=1

models-score: build ## accuracy of the committed models through the server; needs DATA=<folder>; WRITE=1 writes it into the cards
	node dist/benchmarks/score-models.js --data $(DATA) $(if $(WRITE),--write)

clean: ## remove what the targets made in the tree
	rm -rf dist build coverage node_modules

$(BUILT): package.json package-lock.json .npmrc
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(VENV)/done: training/requirements.txt
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --requirement training/requirements.txt
	@touch $@

.PHONY: help run test test-full check build proto release-proto docs bench models models-score clean
