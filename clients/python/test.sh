#!/usr/bin/env bash
# The client for Python, as it is built and installed, against the running server. Its virtual environment is in $CACHE.
set -euo pipefail
: "${CACHE:?the folder for builds: make sets it}"
. test/support/must-say.sh
here=clients/python
python=$CACHE/python-client-venv/bin/python
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

$here/generate.sh "$work/gen"
for file in "$work"/gen/*; do
  cmp "$file" "$here/sentiment_client/gen/${file##*/}" || {
    echo "$here/sentiment_client/gen is out of date: make python-proto"
    exit 1
  }
done
cmp LICENSE $here/LICENSE
version=$(node -p 'require("./package.json").version')
grep -qx "version = \"$version\"" $here/pyproject.toml || { echo "$here/pyproject.toml has another version than package.json's $version"; exit 1; }

# From a copy: setuptools builds inside the folder. The wheel is built from the sdist.
cp -r $here "$work/source"
"$python" -m build --no-isolation --outdir "$work/dist" "$work/source" >"$work/build.log" 2>&1 || { cat "$work/build.log"; exit 1; }
"$python" -m pip install --quiet --disable-pip-version-check --no-deps --target "$work/site" "$work"/dist/*.whl
export PYTHONPATH=$work/site:$here/tests INSTALLED_AT=$work/site PYTHONDONTWRITEBYTECODE=1 GRPC_VERBOSITY=NONE

"$python" -m ruff check --no-cache $here
"$python" -m ruff format --no-cache --check $here
"${python%/*}/vermin" --quiet --no-tips --target=3.9- --violations $here/sentiment_client/*.py $here/sentiment_client/gen/*.py $here/examples
MYPYPATH=$here:$here/tests "$python" -m mypy --config-file $here/pyproject.toml --cache-dir "$work/mypy" \
  $here/sentiment_client $here/examples/*.py $here/tests/*.py

must_say '^Ran [1-9]' "$python" -W error::ResourceWarning -m unittest discover --start-directory $here/tests
