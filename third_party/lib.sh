# Helpers of the recipes. Sourced by build.sh; expects $here (this folder) and $cache.

say() { printf '%s\n' "third_party: $*" >&2; }
die() { say "$*"; exit 1; }

sha256_of() { sha256sum -- "$1" | cut -d' ' -f1; }

# lock_field NAME COLUMN: one field of the row of NAME in sources.lock
lock_field() {
    local value
    value=$(awk -v name="$1" -v column="$2" '$1 == name { print $column }' "$here/sources.lock")
    [ -n "$value" ] || die "sources.lock has no row for $1"
    printf '%s\n' "$value"
}

# twice_more COMMAND…: a download may fail twice before it is an error
twice_more() {
    local attempt
    for attempt in 1 2 3; do
        "$@" && return 0
        [ "$attempt" = 3 ] || sleep $((attempt * 2))
    done
    die "this failed three times: $*"
}

# apt_own deb|deb-src ARGUMENT…: apt-get with lists of its own, derived from this machine's, whose own lists stay as they are
apt_own() {
    local own=$cache/apt-$1 kind=$1
    shift
    mkdir -p "$own/lists/partial"
    apt-get indextargets --format "$kind"' $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        sort -u >"$own/sources.list"
    [ -s "$own/sources.list" ] || die "apt has no package lists yet: run 'apt-get update' as root, then build again"
    apt-get -q -o Dir::Etc::sourcelist="$own/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::State::lists="$own/lists" -o Dir::Cache="$own" -o APT::Sandbox::User=root "$@"
}

# debian_binaries DIR NAME…: packages as files; with fresh lists where the machine's are older than the mirror
debian_binaries() {
    local dir=$1
    shift
    (cd "$dir" && { apt-get -q -o APT::Sandbox::User=root download "$@" ||
        { apt_own deb update && twice_more apt_own deb download "$@"; }; }) >&2
}

# debian_source DIR NAME: the archive as the authors released it, without Debian's patches
debian_source() {
    (cd "$1" && { apt_own deb-src source --tar-only "$2" 2>/dev/null ||
        { apt_own deb-src update && apt_own deb-src source --tar-only "$2"; }; }) >&2
    find "$1" -type f ! -name '*.orig.tar.*' -delete
    find "$1" -type f -name '*.asc' -delete
}

# download_into DIR NAME VERSION KIND SHA256: let the ordinary client of KIND put one file into DIR.
# pip gets the hash too, because it runs code of a source archive to learn its name.
download_into() {
    local wanted=$1/requirements.txt pip=(python3 -m pip download -q --disable-pip-version-check --no-deps -d "$1")
    printf '%s==%s --hash=sha256:%s\n' "$2" "$3" "$5" >"$wanted"
    case $4 in
    npm) twice_more npm pack --silent --ignore-scripts --pack-destination "$1" "$2@$3" >&2 ;;
    pip) twice_more "${pip[@]}" --only-binary :all: -r "$wanted" >&2 ;;
    sdist) twice_more "${pip[@]}" --no-binary "$2" -r "$wanted" >&2 ;;
    deb-src) twice_more debian_source "$1" "$2" ;;
    *) die "cannot download a source of kind $4 ($2)" ;;
    esac
    rm -f "$wanted"
}

# source_fetch NAME: prints the path of the verified file
source_fetch() {
    local name=$1 version kind want dir file
    version=$(lock_field "$name" 2) kind=$(lock_field "$name" 3) want=$(lock_field "$name" 4)
    dir=$cache/downloads/$name-$version
    if [ ! -d "$dir" ]; then
        local fresh
        mkdir -p "${dir%/*}" # a name may have a scope: @SCOPE/NAME
        fresh=$(mktemp -d "$cache/downloads/.fresh-XXXXXX")
        download_into "$fresh" "$name" "$version" "$kind" "$want"
        file=$(find "$fresh" -type f)
        [ "$(sha256_of "$file")" = "$want" ] ||
            die "$name $version: the download has sha256 $(sha256_of "$file"), sources.lock wants $want"
        mv -T "$fresh" "$dir" 2>/dev/null || rm -r "$fresh" # another build was first
    fi
    file=$(find "$dir" -type f)
    [ "$(sha256_of "$file")" = "$want" ] || die "$file is damaged: remove $dir and build again"
    printf '%s\n' "$file"
}

# crate_source NAME: prints the folder of one crate's unpacked and verified source
crate_source() {
    local want tree fresh
    want=$(lock_field "$1" 4)
    tree=$cache/downloads/crates-$(cat "$here"/crates/Cargo.{toml,lock} | sha256sum | cut -c1-12)
    if [ ! -d "$tree" ]; then
        mkdir -p "$cache/downloads"
        fresh=$(mktemp -d "$cache/downloads/.fresh-XXXXXX")
        twice_more cargo vendor --quiet --locked --manifest-path "$here/crates/Cargo.toml" \
            "$fresh/all" >/dev/null
        mkdir "$fresh/kept" # cargo also fetches what only the crates' own builds would need
        local name
        for name in $(awk '$3 == "crate" { print $1 }' "$here/sources.lock"); do
            mv "$fresh/all/$name" "$fresh/kept/"
        done
        mv -T "$fresh/kept" "$tree" 2>/dev/null || true # another build was first
        rm -rf "$fresh"
    fi
    grep -q "\"package\":\"$want\"" "$tree/$1/.cargo-checksum.json" ||
        die "crate $1 is not the one in sources.lock ($want): update the row with crates/Cargo.lock"
    printf '%s\n' "$tree/$1"
}

# Flags of the C libraries we compile. -ffile-prefix-map keeps this machine's paths out of the binary.
library_cflags() { # NAME
    printf '%s' "-O2 -fPIE -ffunction-sections -fdata-sections -fstack-protector-strong" \
        " -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -ffile-prefix-map=$PWD=$1"
}

# static_library NAME PREFIX FLAG… -- FILE.c…: compile a handful of files into PREFIX/lib/libNAME.a
static_library() {
    local name=$1 prefix=$2 flags=()
    shift 2
    while [ "$1" != -- ]; do flags+=("$1"); shift; done
    shift
    mkdir -p "$prefix/lib" objects
    local file objects=()
    for file in "$@"; do
        # shellcheck disable=SC2046 # the flags are words
        gcc -std=gnu11 $(library_cflags "$name") -Wall "${flags[@]}" -c "$file" \
            -o "objects/$(basename "$file" .c).o"
        objects+=("objects/$(basename "$file" .c).o")
    done
    ar crD "$prefix/lib/lib$name.a" "${objects[@]}"
}

# guest_library NAME PREFIX FLAG… -- FILE.c…: the same files twice: PREFIX/lib/libNAME.a is WebAssembly for the guests,
# PREFIX/native/libNAME.a is for their test builds on this machine, with ASan. The recipe needs zig.
guest_library() {
    local name=$1 prefix=$2 flags=() kind zig
    shift 2
    while [ "$1" != -- ]; do flags+=("$1"); shift; done
    shift
    zig=$(prefix_of zig)/zig
    flags+=(-w -ffunction-sections -fdata-sections "-ffile-prefix-map=$PWD=$name")
    mkdir -p "$prefix/lib" "$prefix/native"
    for kind in lib native; do
        local compiler=(gcc -O1 -g1 -fsanitize=address -fno-omit-frame-pointer)
        [ $kind = native ] || compiler=("$zig" cc -target wasm32-wasi -O2 -msimd128)
        mkdir -p "objects/$kind"
        # objects are named after the whole path: two folders may have a file of the same name
        printf '%s\0' "$@" | xargs -0 -P "$jobs" -I{} sh -c \
            'source=$1 kind=$2; shift 2; exec "$@" -c "$source" -o "objects/$kind/$(printf %s "$source" | tr / _).o"' \
            sh {} $kind "${compiler[@]}" "${flags[@]}"
        "$zig" ar crD "$prefix/$kind/lib$name.a" objects/$kind/*.o
    done
}
