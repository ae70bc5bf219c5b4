#!/usr/bin/env bash
# run.sh BINARY [ROW…]: the table of figures (bench.py says which rows there are). The bench's own programs and the scripted
# model lie beside the binary.
set -euo pipefail
[ $# -ge 1 ] || { echo "usage: $0 BINARY [ROW...]" >&2; exit 2; }
exec python3 "$(dirname "$0")/bench.py" "$@"
