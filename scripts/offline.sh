#!/usr/bin/env bash
# offline.sh BINARY: the demo in a network namespace without a route. Where namespaces are not allowed (an ordinary user
# without user namespaces) it runs as it is: --offline is on in any case.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/weights.sh
ask='What is the secret word in note.txt?'
if unshare --net true 2>/dev/null; then
    wrap=(unshare --net)
elif unshare --user --net true 2>/dev/null; then
    wrap=(unshare --user --map-current-user --net)
else
    wrap=()
fi
answer=$("${wrap[@]}" scripts/demo.sh "$1" "$ask")
echo "$answer"
grep -qi pelican <<<"$answer"
