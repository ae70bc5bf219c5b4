#!/usr/bin/env bash
# install.sh: servers made with the official SDKs of MCP, for tests/flow/test_mcp_peers.py, into the cache and never elsewhere.
# Pinned with their digests by both.txt and legacy.txt (PyPI) and node/package-lock.json (npm). Prints the folder.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
key=$(cat "$here"/both.txt "$here"/legacy.txt "$here"/node/package-lock.json "$here/install.sh" | sha256sum | cut -c1-12)
cache=${BOXAGNTS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/boxagnts-build}
dir=$cache/mcp-peers-$key

mkdir -p "$cache"
exec {lock}>"$dir.lock"
flock "$lock"
if [ ! -e "$dir/done" ]; then
    rm -rf "$dir"
    mkdir -p "$dir/node"
    for era in both legacy; do
        python3 -m pip install --quiet --root-user-action ignore --disable-pip-version-check --no-warn-script-location --no-deps --only-binary :all: \
            --require-hashes --target "$dir/$era" -r "$here/$era.txt" >&2
    done
    cp "$here"/node/package.json "$here"/node/package-lock.json "$dir/node/"
    (cd "$dir/node" && npm ci --silent --no-audit --no-fund --ignore-scripts >&2)
    touch "$dir/done"
fi
echo "$dir"
