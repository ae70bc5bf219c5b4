# A Rust compiler for WebAssembly, for the tests only: the example of `tool new --lang rust` is built with it. PREFIX/rustc is
# rustc with sysroot and linker set, PREFIX/target what it calls wasip1.
#
# Debian's packages, unpacked instead of installed, so that they get along with whatever Rust the machine has. apt checks them
# against the distribution's signed lists.

sources=(rustc)

# What these packages need and the machine has not, but for C compilers, which nobody calls
debian_names() {
    local std lld
    std=$(apt-cache depends libstd-rust-dev | awk '$1 == "Depends:" && $2 ~ /^libstd-rust-[0-9]/ { print $2 }')
    lld=$(apt-cache depends lld | awk '$1 == "Depends:" && $2 ~ /^lld-[0-9]/ { print $2 }')
    [ "$std" ] && [ "$lld" ] || die "apt knows no libstd-rust-dev or no lld"
    printf '%s\n' rustc libstd-rust-dev-wasm32 "$std" "$lld"
    apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances \
        "$std" "$lld" | grep '^[a-z0-9]' | sort -u | while read -r name; do
        dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || printf '%s\n' "$name"
    done
}

build() { # PREFIX
    local prefix=$1 names lib linker file
    names=$(debian_names)
    # shellcheck disable=SC2086 # names are words
    debian_binaries . $(printf '%s\n' $names | sort -u)
    for file in *.deb; do dpkg-deb -x "$file" "$prefix"; done
    lib=$(cd "$prefix" && echo usr/lib/*-linux-gnu)
    linker=$(cd "$prefix" && echo usr/lib/llvm-*/bin/wasm-ld)
    rm -rf "$prefix/usr/share" "$prefix/usr/lib/rustlib/wasm32-unknown-unknown"
    (cd "$prefix/usr/lib/rustlib" && printf '%s\n' wasm32-wasi* | head -n 1) >"$prefix/target"
    cat >"$prefix/rustc" <<WRAPPER
#!/bin/sh
here=\$(cd "\$(dirname "\$0")" && pwd)
LD_LIBRARY_PATH=\$here/$lib exec "\$here/usr/bin/rustc" --sysroot "\$here/usr" \\
    -C linker="\$here/$linker" -C linker-flavor=wasm-ld "\$@"
WRAPPER
    chmod +x "$prefix/rustc"
    echo 'fn main() {}' >first.rs # fails here when a library is missing
    "$prefix/rustc" --edition 2021 --target "$(cat "$prefix/target")" -o first.wasm first.rs
}
