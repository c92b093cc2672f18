#!/usr/bin/env bash
# AnalyzeLines, as `mvn test-compile` has built it.
set -euo pipefail
java=$(cd "$(dirname "$0")/.." && pwd)
exec java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "$java/build/test-classes:$java/build/classes:$(cat "$java/build/classpath")" AnalyzeLines "$@"
