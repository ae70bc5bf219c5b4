#!/usr/bin/env bash
# Everything that CI runs. Two builds: `asan` (debug, ASan + UBSan, controls can be switched off) for unit tests, fuzz corpora
# and the attack suite in both positions of every switch; `release` (the product) for all black-box tests and the browser.
set -uo pipefail
cd "$(dirname "$0")/.."
passed=0 failed=0
logs=build/logs
bad_logs=() # one for each that failed
mkdir -p "$logs"

say() { printf '\n== %s\n' "$*"; }

# step NAME COMMAND…: one test of its own
step() {
    local name=$1
    shift
    if "$@" >"$logs/$name.log" 2>&1; then
        passed=$((passed + 1))
        echo "ok   $name"
    else
        failed=$((failed + 1))
        echo "FAIL $name ($logs/$name.log)"
        bad_logs+=("$logs/$name.log")
    fi
}

# keep_failures LOG: what each test of ctest's log said that failed, as a file of its own
keep_failures() {
    local file
    awk -v prefix="${1%.log}" '
        / Test +#[0-9]+: / || /^ +Start +[0-9]+: / || /^[0-9]+% tests passed/ { out = "" }
        / Test +#[0-9]+: .*\*\*\*/ { match($0, /#[0-9]+: [^ ]+/); name = substr($0, RSTART, RLENGTH); sub(/^#[0-9]+: /, "", name)
            out = prefix "-" name ".failed" }
        out { print > out }' "$1"
    for file in "${1%.log}"-*.failed; do
        [ -e "$file" ] && bad_logs+=("$file")
    done
}

# suite PRESET [ctest options]: counts each test of ctest. Two at a time: most wait for processes of theirs
suite() {
    local preset=$1 log
    shift
    log=$logs/ctest-$preset-${RANDOM}.log
    ctest --test-dir "build/$preset" --output-on-failure -j2 "$@" 2>&1 | tee "$log" | grep -vE '^ +Start |^Test project' || true
    local ok bad
    ok=$(grep -cE ' +Passed +[0-9.]+ sec' "$log" || true)
    bad=$(grep -cE '\*\*\*(Failed|Timeout|Exception|Not Run)' "$log" || true)
    passed=$((passed + ok)) failed=$((failed + bad))
    [ "$bad" -eq 0 ] || keep_failures "$log"
    if [ $((ok + bad)) -eq 0 ]; then
        failed=$((failed + 1))
        echo "FAIL no test ran in $preset"
    fi
}

finish() {
    local log
    for log in ${bad_logs[@]+"${bad_logs[@]}"}; do # once more where a reader looks first
        printf '\n== the end of %s\n' "$log"
        tail -n 100 "$log"
    done
    printf '\n%d passed, %d failed\n' "$passed" "$failed"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
    exit
}

say "checks"
step rooms python3 scripts/check_rooms.py
step rooms-check python3 tests/checks/check_rooms_test.py
step format scripts/format.sh --check

say "build"
for preset in release asan; do
    step "configure-$preset" cmake --preset "$preset"
    step "build-$preset" cmake --build --preset "$preset"
done
for preset in release asan; do # what follows needs both
    [ -x "build/$preset/boxagnts" ] || finish
done
step llama-link third_party/test/link.sh

say "page"
step page ui/build.sh build/page check

# ThreadSanitizer where threads meet and the engine is not needed (Rust is not instrumented): whole rooms, and tests of others
say "tsan"
any_of() { local IFS='|'; echo "$*"; }
rooms=(base loop fetch store model tools agent http)
others=(box_test_pipe box_test_receipt mcp_test_servers api_test_workers)
step configure-tsan cmake --preset tsan
step build-tsan cmake --build --preset tsan --target "${rooms[@]/#/unit-}" "${others[@]/#/unit_}"
suite tsan -R "$(printf '^unit[.]((%s)[.]|(%s)$)' "$(any_of "${rooms[@]}")" "$(any_of "${others[@]/_/.}")")"

say "asan"
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1
suite asan -L 'unit|fuzz|attack|guests'

say "release"
suite release -L 'flow|attack|guests'

say "browser"
step browser env BOXAGNTS="$PWD/build/release/boxagnts" SCRIPTED_ENDPOINT="$PWD/build/release/scripted_endpoint" tests/ui/run.sh

say "offline"
step demo-offline scripts/offline.sh build/release/boxagnts

finish
