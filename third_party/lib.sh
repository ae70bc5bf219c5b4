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

# download_into DIR NAME VERSION KIND: let the ordinary client of KIND put one file into DIR
download_into() (
    cd "$1"
    case $4 in
    npm) twice_more npm pack --silent --ignore-scripts "$2@$3" >&2 ;;
    pip) twice_more python3 -m pip download -q --no-deps --only-binary :all: "$2==$3" >&2 ;;
    sdist) twice_more python3 -m pip download -q --no-deps --no-build-isolation \
        --no-binary :all: "$2==$3" >&2 ;;
    *) die "cannot download a source of kind $4 ($2)" ;;
    esac
)

# source_fetch NAME: prints the path of the verified file
source_fetch() {
    local name=$1 version kind want dir file
    version=$(lock_field "$name" 2) kind=$(lock_field "$name" 3) want=$(lock_field "$name" 4)
    dir=$cache/downloads/$name-$version
    if [ ! -d "$dir" ]; then
        local fresh
        mkdir -p "$cache/downloads"
        fresh=$(mktemp -d "$cache/downloads/.fresh-XXXXXX")
        download_into "$fresh" "$name" "$version" "$kind"
        file=$(find "$fresh" -type f)
        [ "$(sha256_of "$file")" = "$want" ] ||
            die "$name $version: the download has sha256 $(sha256_of "$file"), sources.lock wants $want"
        mv -T "$fresh" "$dir" 2>/dev/null || rm -r "$fresh" # another build was first
    fi
    file=$(find "$dir" -type f)
    [ "$(sha256_of "$file")" = "$want" ] || die "$file is damaged: remove $dir and build again"
    printf '%s\n' "$file"
}
