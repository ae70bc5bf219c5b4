#!/usr/bin/env bash
# demo.sh BINARY PROMPT: the product's main job on real input: the embedded model, one sandboxed read, no network and no key.
set -euo pipefail
binary=$1 prompt=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir/root"
printf 'Shopping is done.\nThe secret word is: pelican.\n' >"$dir/root/note.txt"
echo "workspace: $dir (note.txt holds: $(tail -n 1 "$dir/root/note.txt"))" >&2
"$binary" run --workspace-dir "$dir" --model embedded/smollm2 --offline "$prompt"
