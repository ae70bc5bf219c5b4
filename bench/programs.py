"""The programs of the shell against the machine's own, in the same run: time of the stage in the box, of the process outside."""
import json
import os
import random
import subprocess
import tempfile
import time

TIMES = 7
COMMANDS = [  # what, command, times the machine's own that it may take
    ("grep, plain text", "grep abc lines.txt", 2.5),
    ("grep, a pattern", "grep -c 'line [0-9]*7 of' lines.txt", 2.5),
    ("grep, in every line", "grep 'line [0-9]* of' lines.txt", 3),
    ("sort", "sort lines.txt", 2.5),
    ("sed", "sed s/line/LINE/ lines.txt", 2.5),
    ("awk, a sum", "awk '{s+=$1} END {print s}' numbers.txt", 5),
    ("jq", "jq length rows.json", 3),
    ("sha256sum", "sha256sum rows.json", 5),
]


def make_files(folder):
    random.seed(1)
    with open(os.path.join(folder, "lines.txt"), "w", encoding="ascii") as file:
        file.writelines("%08x line %d of text\n" % (random.getrandbits(32), i) for i in range(200_000))
    with open(os.path.join(folder, "numbers.txt"), "w", encoding="ascii") as file:
        file.writelines("%d %d\n" % (i, i % 7) for i in range(200_000))
    with open(os.path.join(folder, "rows.json"), "w", encoding="ascii") as file:
        json.dump([{"id": i, "name": "n%d" % i, "v": random.random(), "tags": ["a", "b"]} for i in range(30_000)], file)


def boxed_ms(binary, folder, command):
    """All repetitions are one call, so that the worker is warm; the shortest is the least disturbed."""
    text = "; ".join(["%s > /dev/null" % command] * TIMES)
    done = subprocess.run([binary, "tool", "run", "bash", "--root", folder, "--json", "--input", "-"], check=False,
                          input=json.dumps({"command": text}), capture_output=True, text=True)
    stages = json.loads(done.stdout)["metadata"]["stages"]
    return min(stage["ms"] for stage in stages[1:])


def native_ms(folder, command):
    best = float("inf")
    for _ in range(TIMES):
        start = time.perf_counter()
        # into a pipe: GNU grep stops at the first match when it sees /dev/null
        subprocess.run(["/bin/sh", "-c", "exec " + command], cwd=folder, stdout=subprocess.PIPE, check=False,
                       env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"})
        best = min(best, (time.perf_counter() - start) * 1000)
    return best


def measure(binary):
    """Yields (what, ms in the box, ms outside, the ratio that is the goal)."""
    with tempfile.TemporaryDirectory(prefix="bx-bench-") as folder:
        make_files(folder)
        for what, command, goal in COMMANDS:
            yield what, boxed_ms(binary, folder, command), native_ms(folder, command), goal
