#!/usr/bin/env python3
"""grep_peers.py DIR [COUNT [SEED]]: the grep tool of guests/build.sh --native DIR against Python's own regular expressions.

Patterns and lines are made by chance from a small alphabet, so that they meet often; every line that one finds must be found
by the other. What the tool uses to be fast (texts that must be there, a machine over bytes) can leave out no line."""
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import warnings

ALPHABET = "aabbcks_. \t0é("
SHORT = ["a", "b", "c", "k", "s", "_", r"\.", " ", r"\t", "0", "é", r"\("]
SETS = [r"[ab]", r"[^a]", r"[a-c]", r"\w", r"\W", r"\s", r"\S", r"\d", ".", r"[^\s_]", r"[k-s0]", r"[é_]", r"[\w.]"]
ANCHORS = ["^", "$", r"\b", r"\B"]


def atom(r, depth):
    kind = r.random()
    if kind < 0.5:
        return "".join(r.choices(SHORT, k=r.choice((1, 1, 2, 3))))
    if kind < 0.7:
        return r.choice(SETS)
    if kind < 0.76:
        return r.choice(ANCHORS)
    if depth > 2:
        return r.choice(SHORT)
    inside = pattern(r, depth + 1)
    if kind < 0.9:
        return f"(?:{inside})"
    if kind < 0.94:
        return f"({inside})"
    return r.choice(("(?={})", "(?!{})", "(?>{})")).format(inside)


def piece(r, depth):
    text = atom(r, depth)
    if r.random() < 0.35 and text not in ANCHORS and not text.startswith(("(?=", "(?!")):
        if len(text) > 1 and not text.startswith(("(", "[", "\\")):
            text = f"(?:{text})"
        elif text.startswith("\\") and len(text) > 2:
            text = f"(?:{text})"
        text += r.choice(("*", "+", "?", "{2}", "{1,3}", "{0,2}", "{2,}", "*?", "+?", "??"))
    return text


def pattern(r, depth=0):
    branches = ["".join(piece(r, depth) for _ in range(r.choice((1, 2, 2, 3, 4)))) for _ in range(r.choice((1, 1, 1, 2, 3)))]
    return "|".join(branches)


def make_lines(r):
    lines = ["".join(r.choices(ALPHABET, k=r.randrange(1, 24))) for _ in range(400)]
    lines += ["x" * r.randrange(10, 200) + "".join(r.choices(ALPHABET, k=12)) + "y" * r.randrange(0, 90) for _ in range(60)]
    return lines


def run(tool, root, given):
    env = dict(os.environ, BX_GUEST_ROOT=root, ASAN_OPTIONS="detect_leaks=0")
    done = subprocess.run([tool], input=json.dumps(given), capture_output=True, text=True, env=env, timeout=60)
    if done.returncode:
        raise SystemExit(f"grep_peers: {given}: exit {done.returncode}: {done.stderr[-2000:]}")
    return json.loads(done.stdout)


def main():
    tool = os.path.join(sys.argv[1], "grep")
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 400
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 4
    r, tried, met = random.Random(seed), 0, 0
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(prefix="bx-peers-") as root:
        lines = make_lines(r)
        with open(os.path.join(root, "f"), "w", newline="") as file:
            file.write("\n".join(lines))  # no line end behind the last one
        while tried < count:
            text, caseless = pattern(r), r.random() < 0.25
            text = text.upper() if caseless and "\\" not in text and r.random() < 0.5 else text
            if caseless and "é" in text.lower():
                continue  # Python's ASCII mode does not fold it
            try:
                peer = re.compile(text, re.ASCII | (re.IGNORECASE if caseless else 0))
            except re.error:
                continue
            tried += 1
            wanted = [i + 1 for i, line in enumerate(lines) if peer.search(line)]
            given = {"pattern": text, "output_mode": "content", "head_limit": 5000, "-i": caseless}
            answer = run(tool, root, given)
            if answer["is_error"] or "too costly" in answer["content"]:
                continue
            found = [int(line.split(":")[1]) for line in answer["content"].split("\n") if re.match(r"f:\d+:", line)]
            if answer["metadata"]["matches"] != len(wanted) or found != wanted:
                missing, more = sorted(set(wanted) - set(found))[:5], sorted(set(found) - set(wanted))[:5]
                raise SystemExit(f"grep_peers: seed {seed}: {given}: {answer['metadata']['matches']} lines, Python finds "
                                 f"{len(wanted)}; missing {[lines[i - 1] for i in missing]}, too many {[lines[i - 1] for i in more]}")
            met += bool(wanted)
    print(f"{tried} patterns, {met} of them with matches")
    if met < tried / 4:
        raise SystemExit("grep_peers: the patterns hardly ever match: the test proves nothing")


main()
