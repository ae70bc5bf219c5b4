# lexbor 3.1: the HTML parser of the web_fetch guest, and the WHATWG's table of character encodings. From the sources
# inside PyPI's selectolax. Only the modules that parse; its selectors, styles and URLs stay out.

sources=(selectolax)
needs=(zig)

build() { # PREFIX
    local archive files module
    archive=$(source_fetch selectolax)
    tar xzf "$archive" --strip-components=2 --wildcards '*/lexbor/*'
    files=(source/lexbor/ports/posix/lexbor/core/memory.c)
    for module in core dom html ns tag encoding; do
        mapfile -t -O "${#files[@]}" files < <(find "source/lexbor/$module" -name '*.c' ! -name encode.c | LC_ALL=C sort)
    done
    # The table of encodings names both directions; only one is used, and the other one's tables are megabytes
    {
        echo '#include "lexbor/encoding/encode.h"'
        sed -n '/^LXB_API/,/^#ifdef/p' source/lexbor/encoding/encode.h | sed '/^#/d; s/);$/) { return -1; }/'
    } >no_encode.c
    files+=(no_encode.c)
    guest_library lexbor "$1" -I source -DLEXBOR_STATIC -- "${files[@]}"
    mkdir -p "$1/include" "$1/licence"
    (cd source && find lexbor/{core,dom,html,ns,tag,encoding} -name '*.h' -exec cp --parents -t "$1/include" {} +)
    cat NOTICE LICENSE >"$1/licence/lexbor"
}
