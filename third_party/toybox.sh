# toybox 0.8.9 (0BSD) for the box: lib/toybox.a is WebAssembly and wants guests/common/{start,unix,unix_none}.c and
# guests/programs/toybox.c beside it. toybox/commands.txt says which of its commands, toybox/edits.sh what is changed.

sources=(toybox)
needs=(zig)
inputs=(toybox/edits.sh toybox/commands.txt ../guests/common/port.h)

toybox_configure() {
    {
        printf 'CONFIG_%s=y\n' TOYBOX TOYBOX_FLOAT TOYBOX_HELP TOYBOX_HELP_DASHDASH TOYBOX_FORCE_NOMMU
        tr -s ' \n' '\n\n' <"$here/toybox/commands.txt" | tr a-z A-Z | sed '/./s/.*/CONFIG_&=y/'
    } >wasi.config
    KCONFIG_ALLCONFIG=wasi.config make allnoconfig
    NOBUILD=1 scripts/make.sh # the headers that it generates, with the compiler of this machine
}

build() { # PREFIX
    local archive zig flags file objects=()
    archive=$(source_fetch toybox)
    zig=$(prefix_of zig)/zig
    tar xf "$archive" --strip-components=1
    sh "$here/toybox/edits.sh"
    toybox_configure
    mkdir -p objects "$1/lib" "$1/licence"
    # -funsigned-char: tr writes out of bounds without
    flags="-target wasm32-wasi -O2 -msimd128 -fno-strict-aliasing -fno-sanitize=all -funsigned-char -w -include $here/../guests/common/port.h
        -D_WASI_EMULATED_SIGNAL -D_WASI_EMULATED_MMAN -D_WASI_EMULATED_PROCESS_CLOCKS -D_WASI_EMULATED_GETPID
        -DBX_PORT_LINUX -DBX_PORT_TOYBOX -I. -ffunction-sections -fdata-sections -ffile-prefix-map=$PWD=toybox"
    {
        tail -n 1 generated/build.sh | tr ' ' '\n' | grep '\.c$' | grep -v '\*'
        printf '%s\n' lib/*.c | grep -v -e lib/net.c -e lib/password.c
    } | xargs -P "$jobs" -I{} sh -c 'o=objects/$(echo {} | tr / _).o
        case {} in */env.c) x=-Dfind_in_path=bx_port_find_in_path ;; */time.c) x=-DBX_PORT_ARGV=toys.optargs ;; *) x= ;; esac
        '"'$zig' cc $(echo $flags)"' $x -c {} -o $o' || die "toybox does not compile"
    "$zig" ar crD "$1/lib/toybox.a" objects/*.o
    cp LICENSE "$1/licence/toybox"
    tr -s ' \n' '\n\n' <"$here/toybox/commands.txt" | sed '/^$/d' >"$1/commands"
}
