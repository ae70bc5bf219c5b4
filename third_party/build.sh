#!/usr/bin/env bash
# build.sh [NAME…]       build the named dependencies (all without a name); prints "NAME PREFIX" lines
# build.sh --print NAME  print the prefix of one dependency without building it
#
# A dependency is a recipe third_party/NAME.sh. It is built once into
# $BOXAGNTS_CACHE/NAME-KEY (default ~/.cache/boxagnts-build) where KEY is a hash of the recipe and of
# everything it pins; README.md says how to add or upgrade one.
set -euo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${BOXAGNTS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/boxagnts-build}
jobs=${BOXAGNTS_JOBS:-$(nproc)}
all=(llhttp wslay yyjson uv curl zig pcre2 lexbor brotli zlib quickjs toybox awk jq smollm2 llama)
. "$here/lib.sh"

# A recipe sets these and defines build() and perhaps settle(); see README.md.
recipe_load() { # NAME
    sources=() crates=() needs=() inputs=()
    settle() { :; }
    [[ $1 =~ ^[a-z0-9-]+$ && -f $here/$1.sh && $1 != build && $1 != lib ]] ||
        die "there is no dependency called $1 (known: ${all[*]})"
    . "$here/$1.sh"
}

# Everything that decides what a dependency is made of, as text
recipe_text() ( # NAME
    recipe_load "$1"
    cat "$here/$1.sh"
    local item
    for item in "${sources[@]}" "${crates[@]}"; do
        awk -v name="$item" '$1 == name { print $1, $2, $3, $4 }' "$here/sources.lock"
    done
    for item in "${inputs[@]}"; do cat "$here/$item"; done
    for item in "${needs[@]}"; do prefix_of "$item"; done
    uname -m
)

prefix_of() { # NAME
    local key
    key=$(recipe_text "$1" | sed "s|^$cache/||" | sha256sum)
    printf '%s\n' "$cache/$1-${key:0:12}"
}

# Both run in a process of their own: "set -e" does not work below "if" or "||"
build_in() { # NAME WORK PREFIX FINAL_PREFIX
    recipe_load "$1"
    cd "$2"
    build "$3" "$4"
}

settle_in() { # NAME PREFIX
    recipe_load "$1"
    settle "$2"
}

build_locked() { # NAME PREFIX
    local name=$1 prefix=$2 work log
    work=$(mktemp -d "$cache/.work-$name-XXXXXX") log=$cache/logs/${prefix##*/}.log
    say "building $name (log: $log)"
    mkdir "$work/prefix" "$work/work"
    if ! {
        bash "$here/build.sh" --build-in "$name" "$work/work" "$work/prefix" "$prefix" &&
            rm -rf "$prefix" && mv -T "$work/prefix" "$prefix" &&
            bash "$here/build.sh" --settle-in "$name" "$prefix"
    } >"$log" 2>&1 </dev/null; then
        tail -n 30 "$log" >&2
        die "$name could not be built; the whole log is $log, the build folder $work"
    fi
    touch "$prefix/.done"
    rm -rf "$work"
}

build_one() { # NAME
    local name=$1 prefix lock need
    prefix=$(prefix_of "$name")
    if [ ! -e "$prefix/.done" ]; then
        for need in $(recipe_load "$name" && printf '%s ' "${needs[@]}"); do
            build_one "$need" >/dev/null
        done
        mkdir -p "$cache/logs"
        exec {lock}>"$prefix.lock"
        flock "$lock"
        [ -e "$prefix/.done" ] || build_locked "$name" "$prefix" # unless another was first
        exec {lock}>&-
    fi
    printf '%s %s\n' "$name" "$prefix"
}

case ${1-} in
--print) prefix_of "${2:?--print wants a name}" ;;
--build-in) build_in "$2" "$3" "$4" "$5" ;;
--settle-in) settle_in "$2" "$3" ;;
-*) die "unknown option $1 (usage: build.sh [NAME…] | --print NAME)" ;;
*) for name in "${@:-${all[@]}}"; do build_one "$name"; done ;;
esac
