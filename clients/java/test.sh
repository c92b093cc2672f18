#!/usr/bin/env bash
# The Java client: version, format, warnings, and its tests against running servers. Needs Maven and a JDK of 17 or later; called from the
# repository's root. Its code for the proto is made anew by each build (pom.xml), so there is none to compare.
set -euo pipefail
: "${CACHE:?the folder for builds: make sets it}"
for tool in mvn javac; do command -v "$tool" >/dev/null || { echo "no $tool: apt-get install maven openjdk-17-jdk-headless"; exit 1; }; done
maven() { mvn --batch-mode --no-transfer-progress --file clients/java/pom.xml "$@"; }

version=$(node -p 'JSON.parse(fs.readFileSync("package.json")).version')
grep -q "^  <version>$version</version>" clients/java/pom.xml || { echo "clients/java/pom.xml has another version than package.json: $version"; exit 1; }

# The newest that runs on Java 17.
formatter=google-java-format-1.28.0-all-deps.jar
[ -e "$CACHE/java-tools/$formatter" ] ||
  maven --quiet dependency:copy -Dartifact=com.google.googlejavaformat:google-java-format:1.28.0:jar:all-deps -DoutputDirectory="$CACHE/java-tools"
find clients/java/src clients/java/examples -name '*.java' -exec java -jar "$CACHE/java-tools/$formatter" --dry-run --set-exit-if-changed {} + ||
  { echo "not formatted: java -jar $CACHE/java-tools/$formatter --replace FILES"; exit 1; }

# Warnings are errors there; a build without tests is none unless it is told so.
maven verify -DfailIfNoTests=true
