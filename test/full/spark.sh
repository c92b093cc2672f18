#!/usr/bin/env bash
# The client for Spark, as it is installed, in a real local Spark against the running server. Needs Java 17; its virtual environment is in $CACHE.
set -euo pipefail
: "${CACHE:?the folder for builds: make sets it}"
. test/support/must-say.sh
command -v java >/dev/null || { echo "no java: Spark needs Java 17 or later (apt-get install openjdk-17-jre-headless)"; exit 1; }
python=$CACHE/spark-venv/bin/python
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir "$work/gen"
clients/spark/generate.sh "$python" "$work/gen"
for file in "$work"/gen/*; do
  cmp "$file" "clients/spark/sentiment_spark/gen/${file##*/}" || {
    echo "clients/spark/sentiment_spark/gen is out of date: run make spark-proto"
    exit 1
  }
done

# From a copy: setuptools builds inside the folder.
cp -r clients/spark "$work/source"
"$python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --target "$work/site" "$work/source"
export PYTHONPATH=$work/site:clients/spark/tests PYSPARK_PYTHON=$python PYSPARK_DRIVER_PYTHON=$python SPARK_LOCAL_IP=127.0.0.1 GRPC_VERBOSITY=NONE
must_say '^Ran [1-9]' "$python" -m unittest test_asking
# Apart: a process that has used gRPC cannot safely fork the JVM.
must_say '^Ran [1-9]' "$python" -m unittest test_faults test_frame
