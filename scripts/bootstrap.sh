#!/usr/bin/env bash
# bootstrap.sh [test]: installs what a build (or, with `test`, also the browser and lint tests) needs on a
# fresh Debian 12, says what and why, and is silent when nothing is missing. `make` runs it every time.
# Only the distribution's own packages, and for tests some of PyPI and npm into the cache; uses sudo when not root.
set -euo pipefail

# What wasmtime 48 wants (rust-version in its Cargo.toml); Debian's security archive has rustc-web
rust_wanted=1.95
node_wanted=18

missing=() # packages
want() { # PACKAGE WHY
    printf 'bootstrap: installing %-18s %s\n' "$1" "$2" >&2
    missing+=("$1")
}

fail() {
    printf 'bootstrap: %s\n' "$*" >&2
    exit 1
}

have() { command -v "$1" >/dev/null; }

# version_at_least WANTED TEXT: the first number of dots and digits in TEXT is not older
version_at_least() {
    [[ $2 =~ [0-9]+(\.[0-9]+)* ]] &&
        printf '%s\n%s\n' "$1" "${BASH_REMATCH[0]}" | sort -V -C
}

rust_is_new_enough() {
    have cargo && have rustc && version_at_least $rust_wanted "$(rustc --version 2>/dev/null)"
}

node_is_new_enough() {
    have node && version_at_least $node_wanted "$(node --version 2>/dev/null)"
}

want_tools() {
    { have gcc && have g++ && have make && have ar; } || want build-essential "C and C++ compiler, make"
    have cmake || want cmake "build"
    have ninja || want ninja-build "build"
    have pkg-config || want pkg-config "build"
    have git || want git "unpacks llama.cpp"
    have unzip || want unzip "unpacks the guest compiler and the small model"
    have bison || want bison "builds awk"
    have xz || want xz-utils "unpacks toybox"
    have python3 || want python3 "build scripts"
    python3 -c 'import importlib.util as u; raise SystemExit(not u.find_spec("pip"))' 2>/dev/null ||
        want python3-pip "fetches packages by name"
    [ -e /etc/ssl/certs/ca-certificates.crt ] || want ca-certificates "https"
}

want_libraries() {
    local package state
    declare -A why=(
        [libssl-dev]="TLS" [zlib1g-dev]="gzip" [libyaml-dev]="YAML"
        [libpcre2-dev]="regular expressions" [libcmocka-dev]="unit tests"
        [libzstd-dev]="compressed programs inside the binary"
        [libedit-dev]="lines typed on a terminal" [libbsd-dev]="lines typed on a terminal"
        [libncurses-dev]="lines typed on a terminal" [libmd-dev]="lines typed on a terminal"
    )
    state=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${!why[@]}" 2>/dev/null || true)
    for package in libssl-dev zlib1g-dev libzstd-dev libyaml-dev libpcre2-dev libcmocka-dev \
        libedit-dev libbsd-dev libncurses-dev libmd-dev; do
        [[ $'\n'$state$'\n' == *$'\n'"$package installed"$'\n'* ]] || want "$package" "${why[$package]}"
    done
}

want_languages() {
    node_is_new_enough || want nodejs "builds the page"
    have npm || want npm "fetches llama.cpp and the page's packages"
    rust_is_new_enough || {
        want rustc-web "the sandbox engine is Rust $rust_wanted"
        want cargo-web "the sandbox engine is Rust $rust_wanted"
    }
}

want_test_tools() {
    { have chromium || have chromium-browser || have google-chrome; } || want chromium "browser tests"
    [ -n "$(find /usr/share/fonts -name '*.[to]tf' -print -quit 2>/dev/null)" ] ||
        want fonts-dejavu-core "browser tests"
    { have clang || have clang-14; } || want clang-14 "second compiler, fuzzing"
    { have clang-format || have clang-format-14; } || want clang-format "format check"
    # What the programs of the shell are compared with
    have gawk || want gawk "GNU awk"
    have jq || want jq "jq"
    have tree || want tree "tree"
    have column || want bsdextrautils "column"
    have bc || want bc "bc"
    have xxd || want xxd "xxd"
    have file || want file "file"
    have zip || want zip "zip"
    have patch || want patch "patch"
}

install_missing() {
    local as_root=()
    have apt-get || fail "this is not Debian: install these by hand, then run again: ${missing[*]}"
    if [ "$(id -u)" != 0 ]; then
        have sudo || fail "not root and no sudo; as root run: apt-get install ${missing[*]}"
        as_root=(sudo)
    fi
    local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600) log
    log=$(mktemp)
    if ! { "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "${missing[@]}"; } \
        >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        fail "apt-get could not install: ${missing[*]} (whole log: $log)"
    fi
    rm "$log"
}

check_again() {
    hash -r
    rust_is_new_enough ||
        fail "$(command -v rustc) is older than Rust $rust_wanted: run 'rustup update', or take it out of PATH"
    node_is_new_enough ||
        fail "$(command -v node) is older than version $node_wanted: take it out of PATH"
}

case ${1-} in
"" | test) ;;
*) fail "unknown argument $1 (usage: bootstrap.sh [test])" ;;
esac
want_tools
want_libraries
want_languages
[ "${1-}" != test ] || want_test_tools
if [ ${#missing[@]} -gt 0 ]; then
    install_missing
    check_again
fi
[ "${1-}" != test ] || "$(dirname "${BASH_SOURCE[0]}")/../tests/peers/mcp/install.sh" >/dev/null # MCP servers of others
