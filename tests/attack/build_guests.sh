#!/usr/bin/env bash
# build_guests.sh: builds the hostile guests once and prints the folder with NAME.wasm of each.
set -euo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
third_party=$here/../../third_party/build.sh
cache=${BOXAGNTS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/boxagnts-build}/hostile-guests
zig=$("$third_party" zig | awk '$1 == "zig" { print $2 }')/zig

guests=$here/../../guests
key=$(cat "$here/build_guests.sh" "$here"/guests/* "$guests"/common/process.[ch] | sha256sum)
out=$cache-${key:0:12}
mkdir -p "$(dirname "$cache")"
exec {lock}>"$cache.lock"
flock "$lock"
if [ ! -e "$out" ]; then
    fresh=$(mktemp -d "$cache-fresh-XXXXXX")
    for source in "$here"/guests/*.c; do
        name=$(basename "$source" .c)
        extra=()
        [ "$name" != process ] || extra=(-I "$guests" "$guests/common/process.c")
        "$zig" cc -target wasm32-wasi -std=gnu17 -O1 -fno-optimize-sibling-calls -fno-sanitize=undefined \
            -mreference-types -s -Wl,-z,stack-size=1048576 -o "$fresh/$name.wasm" "$source" "${extra[@]}" >&2
        if [ -e "${source%.c}.component-type" ]; then # imports beyond wasip1: their types
            cat "${source%.c}.component-type" >>"$fresh/$name.wasm"
        fi
    done
    mv -T "$fresh" "$out"
fi
echo "$out"
