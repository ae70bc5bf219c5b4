#!/usr/bin/env python3
"""chance.py DIR [COUNT [SEED]]: input made by chance for the tools of guests/build.sh --native DIR (with sanitizers).

Bytes of every encoding, patterns, ignore files and parameters that nobody would write: whatever comes in, a tool ends with one
answer in UTF-8. And what .gitignore files leave out is what git leaves out, where git is there to be asked."""
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

BYTES = [b"a", b"b", b"\n", b"\r\n", b"\r", b"\t", b" ", b"\0", b"\xff", b"\xc3\xa9", b"\xe9", b"\xf0\x9f\x98\x80", b"\xed\xa0\x80", b"\\", b"/",
         b"*", b"**", b"?", b"[", b"]", b"!", b"{", b"}", b",", b"(", b")", b"|", b"+", b"^", b"$", b"#", b"-", b"1", b"\xf0"]
STARTS = [b"", b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\x89PNG\r\n\x1a\n", b"%PDF-", b"RIFF", b"GIF89a"]


def some_bytes(r, most):
    return r.choice(STARTS) + b"".join(r.choices(BYTES, k=r.randrange(most)))


def some_text(r, most=12):
    return some_bytes(r, most).decode("utf-8", "replace")


def some_call(r):
    path = r.choice(("f", "g", "d", "d/h", ".", "../x", "/f", "missing", some_text(r)))
    odd = r.choice((-10**18, -1, 0, 1, 3, 10**18, "x", None, 1.5, [], True))
    return r.choice((
        ("read", {"file_path": path, "offset": odd, "limit": r.choice((odd, 1, 5, None))}),
        ("read", {"file_path": path, "offset": r.randrange(-9, 9)}),
        ("grep", {"pattern": some_text(r), "path": path, "output_mode": "content", "context": r.choice((0, 2, odd))}),
        ("grep", {"pattern": some_text(r), "-i": r.choice((True, False, odd)), "multiline": r.random() < 0.5}),
        ("grep", {"pattern": "a", "glob": some_text(r), "type": r.choice(("c", "zz", None))}),
        ("glob", {"pattern": some_text(r), "path": r.choice((path, None))}),
        ("edit", {"file_path": path, "old_string": some_text(r, 5), "new_string": some_text(r), "replace_all": r.random() < 0.5}),
        ("edit", {"file_path": path, "edits": [{"old_string": some_text(r, 4), "new_string": some_text(r)} for _ in range(r.randrange(3))]}),
        ("write", {"file_path": path, "content": some_text(r, 60)}),
        ("write", odd),
    ))


def call(folder, tool, root, given):
    env = dict(os.environ, BX_GUEST_ROOT=root, ASAN_OPTIONS="detect_leaks=0")
    done = subprocess.run([os.path.join(folder, tool)], input=json.dumps(given).encode(), capture_output=True, env=env, timeout=60)
    try:
        if done.returncode or done.stderr:
            raise ValueError(f"exit {done.returncode}: {done.stderr[-3000:].decode(errors='replace')}")
        return json.loads(done.stdout.decode("utf-8"))
    except ValueError as error:
        raise SystemExit(f"chance: {tool} {json.dumps(given)}: {error}")


def fill(r, root):
    for name in ("f", "g", "d/h", ".gitignore"):
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(some_bytes(r, 60))


def survive(folder, r, count):
    for _ in range(count):
        root = tempfile.mkdtemp(prefix="bx-chance-")
        fill(r, root)
        for _ in range(4):
            tool, given = some_call(r)
            call(folder, tool, root, given)
        shutil.rmtree(root)


def some_rule(r):
    part = r.choice(("a", "b", "c", "*", "a*", "*.x", "?", "[ab]", "[!a]", "a.x", "b.x", "**", "sub"))
    rule = r.choice(("", "", "/")) + "/".join([part] + r.choices(("a", "b", "*", "sub", "*.x", "**"), k=r.choice((0, 0, 0, 1, 2))))
    return r.choice(("", "", "", "!")) + rule + r.choice(("", "", "/"))


def ask_git(root):
    env = dict(os.environ, GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_SYSTEM="/dev/null")
    text = subprocess.run(["git", "-C", root, "ls-files", "--others", "--exclude-standard", "-z"], capture_output=True, env=env,
                          check=True).stdout
    return set(text.decode().split("\0")) - {""}


def same_as_git(folder, r, count):
    names = ["a", "b", "a.x", "b.x", "c"]
    for _ in range(count):
        root = tempfile.mkdtemp(prefix="bx-chance-")
        subprocess.run(["git", "init", "-q", root], check=True)
        for top in ("", "sub/", "a.d/", "sub/sub/", "sub/b.d/"):
            os.makedirs(os.path.join(root, top), exist_ok=True)
            for name in names:
                open(os.path.join(root, top, name), "w").close()
        rules = {place: "\n".join(some_rule(r) for _ in range(r.randrange(1, 5))) + "\n"
                 for place in (".gitignore", "sub/.gitignore", ".git/info/exclude") if r.random() < 0.7}
        for place, text in rules.items():
            with open(os.path.join(root, place), "w") as file:
                file.write(text)
        ours = set(call(folder, "glob", root, {"pattern": "**"})["content"].split("\n"))
        ours = {name for name in ours if os.path.isfile(os.path.join(root, name))}
        theirs = ask_git(root)
        if ours != theirs:
            raise SystemExit(f"chance: rules {rules}: only ours {sorted(ours - theirs)}, only git's {sorted(theirs - ours)}")
        shutil.rmtree(root)


def main():
    folder, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 100
    r = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 5)
    survive(folder, r, count)
    if shutil.which("git"):
        same_as_git(folder, r, count)
    print(f"{count} rounds")


main()
