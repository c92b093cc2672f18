#!/usr/bin/env bash
# The console: its own checks, and then, in a real Chromium, before real servers and bridges, each flow at two widths in both colour schemes.
# Pictures are left in build/console-shots. Needs Go, npm, and apt or a chromium on the PATH; Chromium is in $CACHE.
set -euo pipefail
: "${CACHE:?the folder for builds: make sets it}"
export CACHE PATH=$PWD/node_modules/.bin:$PATH
console=clients/console

# By what is in it, as make does it for what else comes by apt.
install=$console/test/chromium/install.sh
cmp --quiet $install "$CACHE/chromium/done" || { echo "unpacking a Chromium into $CACHE/chromium"; $install && cp $install "$CACHE/chromium/done"; }

make --silent gateway
npm --prefix $console run --silent check
(cd $console && knip)
npm --prefix $console test --silent
node --test --test-reporter=spec $console/test/browser/console.test.ts
