# jq 1.8.2 with oniguruma and decNumber, from the sources that Python's package jq carries, for the box: lib/jq.a is
# WebAssembly and wants guests/common/{start,unix,unix_none}.c and guests/programs/jq.c beside it.

sources=(jq)
needs=(zig)
inputs=(../guests/common/port.h)

inner_sha256=71b8d6e8f5fe81f6c6d0d110e3892251f6ce76ed095abd315e26e6e1193af3af

jq_math="acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh drem erf erfc exp exp10 exp2 expm1 fabs fdim floor
    fma fmax fmin fmod frexp hypot ilogb j0 j1 jn ldexp lgamma lgamma_r log log10 log1p log2 logb modf nearbyint nextafter
    nexttoward pow remainder rint round scalb scalbln scalbn significand sin sinh sqrt tan tanh tgamma trunc y0 y1 yn
    alloca_h isatty strptime strftime timegm gmtime_r gmtime localtime_r gettimeofday memmem setenv setlocale atexit getentropy
    libonig pthread pthread_key_create pthread_once tm_tm_gmt_off"
jq_oniguruma="regparse regcomp regexec regenc regerror regext regsyntax regtrav regversion st unicode unicode_unfold_key
    unicode_fold1_key unicode_fold2_key unicode_fold3_key ascii utf8 utf16_be utf16_le utf32_be utf32_le euc_jp euc_jp_prop
    sjis sjis_prop iso8859_1 iso8859_2 iso8859_3 iso8859_4 iso8859_5 iso8859_6 iso8859_7 iso8859_8 iso8859_9 iso8859_10
    iso8859_11 iso8859_13 iso8859_14 iso8859_15 iso8859_16 euc_tw euc_kr big5 gb18030 koi8_r cp1251 onig_init"

# What configure and make would have written
jq_configure() {
    od -v -A n -t o1 -- src/builtin.jq | sed -e 's/$/ /' -e 's/\([0123456789]\) /\1, /g' -e 's/ $//' -e 's/ 0/  0/g' \
        -e 's/ \([123456789]\)/ 0\1/g' >src/builtin.inc
    echo '#define JQ_CONFIG "wasi"' >src/config_opts.inc
    printf '#define %s\n' 'HAVE_ALLOCA_H 1' 'HAVE_STDINT_H 1' 'HAVE_SYS_TYPES_H 1' 'HAVE_INTTYPES_H 1' 'SIZEOF_INT 4' \
        'SIZEOF_LONG 4' 'SIZEOF_LONG_LONG 8' 'SIZEOF_VOIDP 4' 'VERSION "6.9"' >vendor/oniguruma/src/config.h
}

build() { # PREFIX
    local archive zig have="" name
    archive=$(source_fetch jq)
    zig=$(prefix_of zig)/zig
    tar xOf "$archive" jq-1.13.0/deps/jq-1.8.2.tar.gz >inner.tar.gz
    [ "$(sha256_of inner.tar.gz)" = $inner_sha256 ] || die "the jq archive inside the package is not the pinned one"
    tar xzf inner.tar.gz --strip-components=1
    jq_configure
    for name in $jq_math; do have="$have -DHAVE_$(echo "$name" | tr a-z A-Z)=1"; done
    mkdir -p objects "$1/lib" "$1/licence"
    {
        printf '%s\n' src/*.c | grep -v -e jq_test.c -e inject_errors.c
        printf 'vendor/decNumber/%s.c\n' decContext decNumber
        for name in $jq_oniguruma; do echo "vendor/oniguruma/src/$name.c"; done
    } | xargs -P "$jobs" -I{} sh -c "'$zig' cc -target wasm32-wasi -O2 -fno-strict-aliasing -fno-sanitize=all -w \
        -include '$here/../guests/common/port.h' \
        -D_WASI_EMULATED_SIGNAL -D_WASI_EMULATED_MMAN -D_WASI_EMULATED_PROCESS_CLOCKS -D_WASI_EMULATED_GETPID $have \
        -DUSE_DECNUM=1 -DIEEE_8087=1 -DONIG_STATIC -I. -Isrc -Ivendor -Ivendor/decNumber -Ivendor/oniguruma/src \
        -ffunction-sections -fdata-sections '-ffile-prefix-map=$PWD=jq' -c {} -o objects/\$(echo {} | tr / _).o" ||
        die "jq does not compile"
    "$zig" ar crD "$1/lib/jq.a" objects/*.o
    cp COPYING "$1/licence/jq" # with decNumber's
    cp vendor/oniguruma/COPYING "$1/licence/oniguruma"
}
