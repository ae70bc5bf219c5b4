#!/usr/bin/env bash
# run.sh [TEST…]: the browser tests, against the mock and, where BOXAGNTS and SCRIPTED_ENDPOINT name the programs, against the real server.
# PAGE_SLOW=N: as on a machine N times slower (browser.mjs).
# Needs Chromium (CHROMIUM, else /usr/bin/chromium). The packages live in the cache, keyed by the lock file.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${BOXAGNTS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/boxagnts-build}
key=$(cat "$here/package.json" "$here/package-lock.json" | sha256sum | cut -c1-12)
modules=$cache/ui-tests-$key
if [ ! -e "$modules/.done" ]; then
    mkdir -p "$modules"
    cp "$here/package.json" "$here/package-lock.json" "$modules/"
    npm ci --prefix "$modules" --no-audit --no-fund >"$modules/npm.log" 2>&1 || { tail -n 20 "$modules/npm.log" >&2; exit 1; }
    touch "$modules/.done"
fi
if [ -L "$here/node_modules" ] || [ ! -e "$here/node_modules" ]; then
    ln -sfn "$modules/node_modules" "$here/node_modules"
fi
dist=$(mktemp -d)
trap 'rm -rf "$dist"' EXIT
"$here/../../ui/build.sh" "$dist"
mock=("$@") real=("$@")
if [ $# -eq 0 ]; then
    for test in "$here"/*.test.mjs; do
        [[ $test == *_real.test.mjs ]] && real+=("$test") || mock+=("$test")
    done
    real+=("$here/page.test.mjs" "$here/sessions.test.mjs" "$here/runtime.test.mjs")
fi
export PAGE_DIST=$dist
BOXAGNTS='' node --test --test-reporter=spec --test-concurrency=2 "${mock[@]}"
if [ -n "${BOXAGNTS-}" ]; then
    node --test --test-reporter=spec --test-concurrency=1 "${real[@]}"
fi
