# QuickJS-ng 0.17: the JavaScript engine of the jsexec guest, from the sources inside PyPI's quickjs-ng. Without its own
# libc: what scripts may do is written in guests/jsexec.

sources=(quickjs-ng)
needs=(zig)

build() { # PREFIX
    local archive
    archive=$(source_fetch quickjs-ng)
    tar xzf "$archive" --strip-components=1
    guest_library quickjs "$1" -D_GNU_SOURCE -DNDEBUG -- upstream-quickjs/{quickjs,dtoa,libregexp,libunicode}.c
    mkdir -p "$1/include" "$1/licence"
    cp upstream-quickjs/quickjs.h "$1/include"
    # The licence stands at the top of each source; the archive's own LICENSE is its Python wrapper's
    sed -n '/Copyright (c)/,/^ \*\//p' upstream-quickjs/quickjs.c | sed '/^ \*\//,$d; s/^ \* \?//' >"$1/licence/quickjs"
}
