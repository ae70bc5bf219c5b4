# zig 0.17.1: the C compiler of the WebAssembly guests (PREFIX/zig cc -target wasm32-wasi …). It runs at
# build time only; its wasi-libc is linked into the guests.

sources=(ziglang)

build() { # PREFIX
    local wheel prefix=$1
    wheel=$(source_fetch ziglang)
    unzip -q "$wheel" 'ziglang/*' -d "$prefix"
    chmod +x "$prefix/ziglang/zig"
    cat >"$prefix/zig" <<'WRAPPER'
#!/bin/sh
# Compiled libc parts are kept beside the compiler, so that they are cached with it
here=$(cd "$(dirname "$0")" && pwd)
export ZIG_GLOBAL_CACHE_DIR="${ZIG_GLOBAL_CACHE_DIR:-$here/compiled}"
exec "$here/ziglang/zig" "$@"
WRAPPER
    chmod +x "$prefix/zig"
    mkdir -p "$prefix/licence"
    cp "$prefix/ziglang/LICENSE" "$prefix/licence/zig"
    local wasi=$prefix/ziglang/lib/libc/wasi
    cat "$wasi"/{LICENSE,LICENSE-MIT,libc-bottom-half/cloudlibc/LICENSE,libc-top-half/musl/COPYRIGHT} \
        >"$prefix/licence/wasi-libc"
}

# Its first use compiles wasi-libc (a minute): have that behind us. Not in build(): what zig keeps is only
# good for the folder in which it was made.
settle() { # PREFIX
    local folder
    folder=$(mktemp -d)
    printf '#include <stdio.h>\nint main(void) { return puts("") < 0; }\n' >"$folder/first.c"
    "$1/zig" cc -target wasm32-wasi -Os "$folder/first.c" -o "$folder/first.wasm"
    rm -r "$folder"
}
