#!/usr/bin/env bash
# aot.sh COMPILER ENGINE [--pack] [--fuel] IN.wasm OUT: bx-aot, with its results kept in $BOXAGNTS_CACHE/aot by what decides
# them (the WebAssembly, the form, the engine, our own part of it), so that the presets and clones of one machine compile a
# guest once.
set -euo pipefail
compiler=$1 engine=$2
shift 2
in=${*: -2:1} out=${*: -1}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${BOXAGNTS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/boxagnts-build}/aot
key=$({ printf '%s\n' "${@:1:$#-2}" "$(basename "$(dirname "$engine")")"; cat "$in" "$here"/src/box/aot*.[ch] "$here/engine/engine.h"; } | sha256sum | cut -c1-24)
if [ ! -e "$cache/$key" ]; then
    mkdir -p "$cache"
    fresh=$(mktemp "$cache/.fresh-XXXXXX")
    trap 'rm -f "$fresh"' EXIT
    "$compiler" "${@:1:$#-2}" "$in" "$fresh"
    mv "$fresh" "$cache/$key"
fi
cp "$cache/$key" "$out.new"
mv "$out.new" "$out"
