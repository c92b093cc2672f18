#!/usr/bin/env bash
# The bridge at URL under load by Locust; benchmarks/load.sh sets what it needs.
set -euo pipefail
exec "$CACHE/locust-venv/bin/locust" --headless --only-summary --locustfile benchmarks/locust/locustfile.py --host "$URL"
