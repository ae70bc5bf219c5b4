# PCRE2 10.46 for the guests: lib/libpcre2-8.a is WebAssembly, src/ is for native test builds of the guests.
# From the sources inside crate pcre2-sys. No JIT: WebAssembly has no way to make code.

crates=(pcre2-sys)
needs=(zig)

build() { # PREFIX
    local crate zig file objects=() upstream
    crate=$(crate_source pcre2-sys)
    upstream=$crate/upstream
    zig=$(prefix_of zig)/zig
    mkdir -p "$1/src" "$1/include" "$1/lib" "$1/licence" objects
    cp "$upstream"/src/*.[ch] "$upstream/include/config.h" "$1/src"
    cp "$upstream/include/pcre2.h" "$1/include"
    rm "$1"/src/pcre2_{dfa_match,convert,serialize,substitute,maketables}.c
    # The licence text stands at the top of each source
    sed -n '/Copyright (c)/,/^POSSIBILITY/p' "$upstream/src/pcre2_match.c" >"$1/licence/pcre2"
    for file in "$1"/src/*.c; do
        case $file in */pcre2_ucptables.c | */pcre2_jit_m*) continue ;; esac # included by others
        objects+=("objects/$(basename "$file" .c).o")
        "$zig" cc -target wasm32-wasi -O2 -DHAVE_CONFIG_H -DHAVE_STDLIB_H -DHAVE_MEMMOVE -DPCRE2_STATIC \
            -DPCRE2_CODE_UNIT_WIDTH=8 -DSUPPORT_PCRE2_8 -DSUPPORT_UNICODE -ffunction-sections \
            "-ffile-prefix-map=$1=pcre2" -I "$1/src" -I "$1/include" -c "$file" -o "${objects[-1]}"
    done
    "$zig" ar crD "$1/lib/libpcre2-8.a" "${objects[@]}"
}
