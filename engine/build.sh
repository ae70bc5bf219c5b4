#!/usr/bin/env bash
# build.sh: builds the sandbox engine once and prints the path of libboxengine.a.
#
# The archive is kept outside the checkout under a key made of these sources, the lock file and the compiler, so
# running this again costs nothing. Needs cargo and rustc (see rust-version in Cargo.toml).
set -euo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${BOXAGNTS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/boxagnts-build}

command -v cargo >/dev/null || {
    echo "engine: cargo is missing: install Rust $(sed -n 's/^rust-version = //p' "$here/Cargo.toml") or newer" >&2
    exit 1
}
key=$( (cd "$here" && cat Cargo.toml Cargo.lock build.sh src/*.rs wit/*.wit && rustc -vV) | sha256sum)
prefix=$cache/engine-${key:0:12}

if [ ! -e "$prefix/libboxengine.a" ]; then
    mkdir -p "$cache/logs" "$prefix"
    exec {lock}>"$cache/engine.lock"
    flock "$lock"
    if [ ! -e "$prefix/libboxengine.a" ]; then
        log=$cache/logs/engine-${key:0:12}.log
        echo "engine: building Wasmtime and its binding, some minutes the first time (log: $log)" >&2
        target=$cache/engine-target
        # Paths of this machine must not end up in panic messages. The checkout's is for the last crate only: others
        # are then built once for all checkouts.
        flags="--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo --remap-path-prefix=$target=target"
        if ! (cd "$here" && CARGO_TARGET_DIR=$target RUSTFLAGS="$flags" \
                nice cargo rustc --release --locked ${BOXAGNTS_JOBS:+-j "$BOXAGNTS_JOBS"} -- \
                --remap-path-prefix="$here=engine") >"$log" 2>&1; then
            tail -n 30 "$log" >&2
            echo "engine: could not be built; the whole log is $log" >&2
            exit 1
        fi
        cp "$target/release/libboxengine.a" "$prefix/.fresh"
        mv "$prefix/.fresh" "$prefix/libboxengine.a"
    fi
    exec {lock}>&-
fi
echo "$prefix/libboxengine.a"
