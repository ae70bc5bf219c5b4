# Debian's clang with its wasi-libc, for the tests only: PREFIX/cc makes wasip1 modules that nothing of ours is in. The packages
# are unpacked, not installed; clang itself is the machine's (scripts/bootstrap.sh test).

sources=(wasi-libc)
needs=(rust-wasm) # its linker

build() { # PREFIX FINAL_PREFIX
    local prefix=$1 clang version linker builtins file
    clang=$(command -v clang-14 || command -v clang) || die "clang is missing: run scripts/bootstrap.sh test"
    version=$("$clang" -dumpversion)
    linker=$(echo "$(prefix_of rust-wasm)"/usr/lib/llvm-*/bin/wasm-ld)
    mkdir "$prefix/bin" # Debian's clang looks for it under a name with its version
    for file in wasm-ld "wasm-ld-${version%%.*}"; do ln -s "$linker" "$prefix/bin/$file"; done
    debian_binaries . wasi-libc "libclang-rt-${version%%.*}-dev-wasm32"
    for file in *.deb; do dpkg-deb -x "$file" "$prefix"; done
    builtins=$(cd "$prefix" && find usr -name 'libclang_rt.builtins-wasm32.a' | head -n 1)
    [ "$builtins" ] || die "the packages have no builtins for wasm32"
    cat >"$prefix/cc" <<WRAPPER
#!/bin/sh
here=\$(cd "\$(dirname "\$0")" && pwd)
PATH=\$here/bin:\$PATH exec $clang --target=wasm32-wasi --sysroot="\$here/usr" -nodefaultlibs "\$@" -lc "\$here/$builtins"
WRAPPER
    chmod +x "$prefix/cc"
    printf '#include <stdio.h>\nint main(void) { return puts("") < 0; }\n' >first.c # fails here when a library is missing
    "$prefix/cc" -Os first.c -o first.wasm
}
