#!/usr/bin/env bash
# build.sh OUT: builds the page. node_modules live in a cache outside the checkout, keyed by the lock file.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$(mkdir -p "$1" && cd "$1" && pwd)
cache=${BOXAGNTS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/boxagnts-build}
key=$(cat "$here/package.json" "$here/package-lock.json" | sha256sum | cut -c1-12)
modules=$cache/ui-$key
if [ ! -e "$modules/.done" ]; then
    mkdir -p "$modules"
    cp "$here/package.json" "$here/package-lock.json" "$modules/"
    for try in 1 2 3; do
        if npm ci --prefix "$modules" --no-audit --no-fund >"$modules/npm.log" 2>&1; then
            touch "$modules/.done"
            break
        fi
        [ "$try" -lt 3 ] || { tail -n 20 "$modules/npm.log" >&2; exit 1; }
    done
fi
# esbuild resolves packages from the folder of the importing file upwards: a link does it
if [ -L "$here/node_modules" ] || [ ! -e "$here/node_modules" ]; then
    ln -sfn "$modules/node_modules" "$here/node_modules"
fi
cd "$here"
if [ "${2-}" = check ]; then
    npx tsc --noEmit
    node --test --import tsx test/*.test.ts
fi
node build.mjs "$out"
