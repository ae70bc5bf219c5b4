#!/usr/bin/env bash
# build.sh [--native] OUTDIR [NAME…]: builds the tools that run in the box (all without a name) into
# OUTDIR/NAME.wasm and copies their descriptors to OUTDIR/NAME.json. A tool is a folder NAME with NAME.json
# and *.c, plus what it needs of common/.
#
# The programs of the shell are built the same way; an image of several commands has no descriptor but
# OUTDIR/NAME.commands, one a line: "tools" is programs/*.c, the others are third_party/NAME.sh and programs/NAME.c.
#
# --native builds OUTDIR/NAME for this machine with ASan and UBSan, for tests/guests; CC is the compiler.
#
# Results are kept in $BOXAGNTS_CACHE/guests by a hash of everything that decides them, so that an unchanged
# tool costs nothing. The same input gives the same bytes.
set -euo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${BOXAGNTS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/boxagnts-build}/guests
native=
[ "${1-}" != --native ] || { native=yes; shift; }
out=${1:?usage: build.sh [--native] OUTDIR [NAME…]}
shift
all=(read write edit glob grep web_fetch jsexec bash)
programs=(tools toybox awk jq)
warnings=(-Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror)

third_party() { "$here/../third_party/build.sh" "$1" | awk -v name="$1" '$1 == name { print $2 }'; }

compiler=() flags=() pcre2_flags=()
toolchain() {
    if [ "$native" ]; then
        compiler=("${CC:-cc}")
        flags=(-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -DBX_GUEST_NATIVE)
    else
        # -O2 and SIMD: see README.md. Stack: wasm's default of 64 KiB is too small for libc's printf.
        # Memory: what a small call needs is there from the start, for growing is a system call for each 64 KiB
        compiler=("$(third_party zig)/zig" cc -target wasm32-wasi)
        flags=(-O2 -msimd128 -s -Wl,-z,stack-size=1048576 -Wl,--initial-memory=2097152)
    fi
    flags+=(-std=gnu17 -D_GNU_SOURCE -ffunction-sections -fdata-sections -Wl,--gc-sections
        "-ffile-prefix-map=$here=guests" -I "$here")
}

# Of common/, what each tool uses
parts_of() { # NAME
    local parts=(buf guest json libc path utf8)
    case $1 in
    bash) # speaks to the host in its own way
        parts=(buf json libc utf8)
        if [ "$native" ]; then parts+=(process_native); else parts+=(process); fi ;;
    read) parts+=(file near text) ;;
    write) parts+=(diff file near text) ;;
    edit) parts+=(diff file near text) ;;
    glob) parts+=(file files glob ignore near newest walk) ;;
    grep) parts+=(dfa file files finder glob ignore literals near newest regex scout text walk) ;;
    web_fetch) parts+=(text) ;;
    jsexec) parts+=(file near text) ;;
    esac
    printf "$here/common/%s.c\n" "${parts[@]}"
}

# Adds a library of third_party/ for guests to extra=(): WebAssembly, or with ASan for the test build
library_flags() { # NAME
    local prefix folder=lib
    prefix=$(third_party "$1")
    [ -z "$native" ] || folder=native
    extra+=(-isystem "$prefix/include" "$prefix/$folder"/lib*.a)
}

# What the image's commands are called
commands_of() { # NAME PREFIX
    case $1 in
    tools) sed -n 's/^    {"\([a-z0-9]*\)", [a-z]*_main,.*/\1/p' "$here/programs/main.c" ;;
    toybox) cat "$2/commands" ;;
    *) printf '%s\n' "$1" ;;
    esac
}

emulated=(-D_WASI_EMULATED_SIGNAL -D_WASI_EMULATED_MMAN -D_WASI_EMULATED_PROCESS_CLOCKS -D_WASI_EMULATED_GETPID)

# What stands in for the system below every program: objects in the folder $runtime
runtime() {
    local sources=("$here"/common/{start,unix,unix_none,process,libc}.c) file key work
    key=$({
        printf '%s\n' "$("${compiler[@]}" --version | head -n 1)" "${compiler[@]}" "${flags[@]}" "${emulated[@]}"
        cat "${sources[@]}" "$here"/common/*.h
    } | sed "s|$here||g" | sha256sum | cut -c1-16)
    runtime=$cache/runtime-$key
    [ ! -d "$runtime" ] || return 0
    work=$(mktemp -d "$cache/.work-XXXXXX")
    for file in "${sources[@]}"; do
        "${compiler[@]}" "${flags[@]}" "${emulated[@]}" -Wall -fno-strict-aliasing -c "$file" \
            -o "$work/$(basename "$file" .c).o" || { rm -r "$work"; exit 1; }
    done
    mv -T "$work" "$runtime" 2>/dev/null || rm -rf "$work" # another build was first
}

build_program() { # NAME
    local name=$1 prefix="" sources=() extra=() stack=1048576 more key stored
    case $name in
    tools)
        prefix=$(third_party pcre2)
        mapfile -t sources < <(printf '%s\n' "$here"/programs/*.c | grep -v -e /toybox.c -e /awk.c -e /jq.c)
        sources+=("$here"/common/{buf,dfa,finder,literals,regex,scout}.c) # of grep
        extra=("${warnings[@]}" -Wno-conversion -Wno-sign-conversion -I "$prefix/include" -DPCRE2_CODE_UNIT_WIDTH=8 -DPCRE2_STATIC)
        if [ "$native" ]; then extra+=(-lpcre2-8); else extra+=(-include common/port.h "$prefix/lib/libpcre2-8.a"); fi
        library_flags zlib
        ;;
    awk) stack=4194304 ;;&
    jq) stack=8388608 ;;&
    *)
        prefix=$(third_party "$name")
        sources=("$here/programs/$name.c")
        extra=(-Wall -Wno-deprecated-declarations "$prefix/lib/$name.a")
        ;;
    esac
    if [ "$native" ]; then
        [ "$name" = tools ] || return 0 # those of others are not ours to sanitize
        sources+=("$here"/common/{start_native,process_native}.c)
    else
        runtime
        extra+=("${emulated[@]}" "$runtime"/*.o -lwasi-emulated-signal -lwasi-emulated-mman -lwasi-emulated-process-clocks
            -lwasi-emulated-getpid "-Wl,-z,stack-size=$stack" "-Wl,--initial-memory=$((stack + 2097152))")
    fi
    key=$({
        printf '%s\n' "$("${compiler[@]}" --version | head -n 1)" "${compiler[@]}" "${flags[@]}" "${extra[@]}"
        cat "${sources[@]}" "$here"/common/*.h "$here"/programs/*.h
    } | sed "s|$here||g" | sha256sum | cut -c1-16)
    stored=$cache/$name-$key
    if [ ! -e "$stored" ]; then
        more=$(mktemp "$cache/.result-XXXXXX")
        "${compiler[@]}" "${flags[@]}" "${sources[@]}" "${extra[@]}" -o "$more" || { rm "$more"; exit 1; }
        mv -T "$more" "$stored"
    fi
    if [ "$native" ]; then
        cp "$stored" "$out/$name"
        return
    fi
    cmp -s "$stored" "$out/$name.wasm" || cp "$stored" "$out/$name.wasm"
    commands_of "$name" "$prefix" >"$out/$name.commands"
}

libraries_of() { # NAME
    case $1 in
    web_fetch) echo lexbor brotli zlib ;;
    jsexec) echo quickjs ;;
    esac
}

# A file as a C string
c_string() { sed 's/\\/\\\\/g; s/"/\\"/g; s/??/?\\?/g; s/^ */"/; s/$/\\n"/' "$1"; }

# NAME/js/*.js as a table of strings, {file without .js, text}
scripts_header() { # NAME
    local file
    echo 'static const struct { const char *name, *text; } bx_scripts[] = {'
    for file in "$here/$1"/js/*.js; do
        printf '{"%s",\n' "$(basename "$file" .js)"
        c_string "$file"
        echo '},'
    done
    echo '};'
}

build_one() { # NAME
    local name=$1 sources extra=() key work stored pcre2 compiler_id
    [ -f "$here/$name/$name.json" ] || { echo "guests: there is no tool called $name" >&2; exit 1; }
    mapfile -t sources < <(parts_of "$name")
    sources+=("$here/$name"/*.c)
    if [ "$name" = jsexec ] && [ ! "$native" ]; then # libc.c is among what stands below programs
        mapfile -t sources < <(printf '%s\n' "${sources[@]}" | grep -v /common/libc.c)
    fi
    if [ "$name" = grep ]; then
        pcre2=$(third_party pcre2)
        extra=(-I "$pcre2/include" -DPCRE2_CODE_UNIT_WIDTH=8 -DPCRE2_STATIC)
        if [ "$native" ]; then extra+=(-lpcre2-8); else extra+=("$pcre2/lib/libpcre2-8.a"); fi
    fi
    if [ "$name" = jsexec ] && [ ! "$native" ]; then # a program, too; and scripts recurse
        runtime
        extra+=(-DBX_GUEST_MAIN=bx_tool_main "${emulated[@]}" "$runtime"/*.o -lwasi-emulated-signal -lwasi-emulated-mman
            -lwasi-emulated-process-clocks -lwasi-emulated-getpid -Wl,-z,stack-size=2097152 -Wl,--initial-memory=4194304)
    fi
    local library
    for library in $(libraries_of "$name"); do library_flags "$library"; done
    [ ! "$native" ] || extra+=(-lm)
    compiler_id=$("${compiler[@]}" --version | head -n 1)
    key=$({
        printf '%s\n' "$compiler_id" "${compiler[@]}" "${flags[@]}" "${warnings[@]}" "${extra[@]}"
        cat "${sources[@]}" "$here"/common/*.h; find "$here/$name" -type f ! -name "*.c" | sort | xargs cat
    } | sed "s|$here||g" | sha256sum | cut -c1-16)
    stored=$cache/$name-$key
    if [ ! -e "$stored" ]; then
        work=$(mktemp -d "$cache/.work-XXXXXX")
        {
            echo 'static const char bx_descriptor[] ='
            c_string "$here/$name/$name.json"
            echo ';'
        } >"$work/descriptor.h"
        [ ! -d "$here/$name/js" ] || scripts_header "$name" >"$work/scripts.h"
        "${compiler[@]}" "${flags[@]}" "${warnings[@]}" -I "$work" -I "$here/$name" "${sources[@]}" "${extra[@]}" \
            -o "$work/result" || { rm -r "$work"; exit 1; }
        if [ ! "$native" ] && [ -e "$here/$name/component-type" ]; then # imports beyond wasip1: their types
            cat "$here/$name/component-type" >>"$work/result"
        fi
        mv -T "$work/result" "$stored"
        rm -r "$work"
    fi
    if [ "$native" ]; then
        cp "$stored" "$out/$name"
    else
        cmp -s "$stored" "$out/$name.wasm" || cp "$stored" "$out/$name.wasm"
        cmp -s "$here/$name/$name.json" "$out/$name.json" || cp "$here/$name/$name.json" "$out/$name.json"
    fi
}

mkdir -p "$out" "$cache"
toolchain
for name in "${@:-${all[@]}}"; do
    case " ${programs[*]} " in
    *" $name "*) build_program "$name" ;;
    *) build_one "$name" ;;
    esac
done
