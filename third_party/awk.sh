# onetrueawk (original-awk, 2022-09-12) for the box: lib/awk.a is WebAssembly and wants guests/common/{start,unix,unix_none}.c
# and guests/programs/awk.c beside it. awk/extra.c stands in for four of its functions: UTF-8, and what GNU awk has besides.

sources=(original-awk)
needs=(zig)
inputs=(awk/extra.c awk/extra.h awk/edits.sh ../guests/common/port.h)

build() { # PREFIX
    local archive zig
    archive=$(source_fetch original-awk)
    zig=$(prefix_of zig)/zig
    tar xf "$archive" --strip-components=1
    cp "$here"/awk/extra.[ch] .
    sh "$here/awk/edits.sh"
    make proctab.c awkgram.tab.c
    mkdir -p "$1/lib" "$1/licence"
    printf '%s\n' b main parse proctab tran lib run lex awkgram.tab extra | xargs -P "$jobs" -I{} sh -c 'f={}
        case $f in run) x="-Dbltin=old_bltin -Dsubstr=old_substr -Dsindex=old_sindex -Dmatchop=old_matchop" ;; *) x= ;; esac
        exec "$0" "$@" $x -c $f.c -o $f.o' "$zig" cc -target wasm32-wasi -O2 \
        -fno-strict-aliasing -fno-sanitize=all -w -include "$here/../guests/common/port.h" \
        -D_WASI_EMULATED_SIGNAL -D_WASI_EMULATED_MMAN -D_WASI_EMULATED_PROCESS_CLOCKS -D_WASI_EMULATED_GETPID -DBX_PORT_AWK \
        -ffunction-sections -fdata-sections "-ffile-prefix-map=$PWD=awk" || die "awk does not compile"
    "$zig" ar crD "$1/lib/awk.a" ./*.o
    cp LICENSE "$1/licence/onetrueawk"
}
