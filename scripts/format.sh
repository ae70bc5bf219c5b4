#!/usr/bin/env bash
# format.sh           formats our own C files in place with .clang-format
# format.sh --check   changes nothing; names each file that is not formatted and fails
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

format=
for name in clang-format-14 clang-format; do
    if command -v "$name" >/dev/null; then
        format=$name
        break
    fi
done
[[ $format ]] || { echo "format.sh: clang-format is not installed (apt-get install clang-format-14)" >&2; exit 2; }

roots=()
for root in src guests tests bench; do
    [[ -d $root ]] && roots+=("$root")
done
# Our headers are laid out by hand (their comments and columns are the manual), but for the engine's.
mapfile -d '' files < <({
    find "${roots[@]}" \( -name target -o -name corpus -o -name node_modules \) -prune -o -type f -name '*.c' -print0
    find engine -maxdepth 1 -type f -name '*.h' -print0
} | sort -z)

case ${1-} in
'') "$format" -i --style=file "${files[@]}" ;;
--check)
    bad=0
    for file in "${files[@]}"; do
        if ! "$format" --style=file "$file" | cmp -s - "$file"; then
            echo "$file: not formatted (scripts/format.sh does it)" >&2
            bad=1
        fi
    done
    exit $bad
    ;;
*) echo "usage: scripts/format.sh [--check]" >&2; exit 2 ;;
esac
