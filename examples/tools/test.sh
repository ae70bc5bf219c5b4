#!/bin/sh
# test.sh TOOL: calls the tool in the sandbox, the way an agent would, and compares.
set -eu
cd "$(dirname "$0")"
root=$(mktemp -d)
trap 'rm -r "$root"' EXIT
printf 'one two\nthree\n' >"$root/notes.txt"

failed=0
expect() { # INPUT TEXT-IN-THE-RESULT
    result=$("${BOXAGNTS:-boxagnts}" tool run "$tool" --root "$root" --input "$1" --json || true)
    case $result in
    *"$2"*) echo "ok   $1" ;;
    *) echo "FAIL $1: no \"$2\" in $result" && failed=1 ;;
    esac
}

tool=./$1
expect '{"file_path":"notes.txt"}' '2 lines, 3 words, 14 bytes'
expect '{"file_path":"missing.txt"}' '"is_error":true'
expect '{"path":"notes.txt"}' 'file_path'
exit $failed
