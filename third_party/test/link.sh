#!/usr/bin/env bash
# link.sh: proves that a C program with the model server inside links by PREFIX/link.txt, needs only libc and
# libm, and answers a scripted model on a Unix socket with each CPU variant.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
prefix=$("$here/../build.sh" llama)
prefix=${prefix#llama }
mapfile -t link <"$prefix/link.txt"
gcc -std=gnu17 -O2 -Wall -Wextra -Werror "$here/link.c" -o "$folder/link" -Wl,--gc-sections "${link[@]}"
strip "$folder/link"
needs=$(ldd "$folder/link" | awk '{ print $1 }' | sort | tr '\n' ' ')
[ "$needs" = "/lib64/ld-linux-x86-64.so.2 libc.so.6 libm.so.6 linux-vdso.so.1 " ] || {
    echo "the program needs more than libc and libm: $needs" >&2
    exit 1
}
echo "ok links ($(stat -c %s "$folder/link") bytes, needs $needs)"
python3 "$here/link.py" "$folder/link" "$folder"
