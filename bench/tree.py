#!/usr/bin/env python3
"""tree.py DIR [FILES]: makes the source tree that bench-grep searches, the same bytes each time: 60,000 files of about 8.5 KB
(log-normal, half of them below 4 KB) in 4,000 folders up to eight deep, 500 MB in all. Most are code-like text; one in fifty is binary, one in
three hundred has very long lines; names and words repeat as they do in real trees. A few words are planted (PLANTED)."""
import os
import random
import shutil
import sys

PLANTED = {  # word: one file in so many has it, once
    "zq_needle_rare": 2000, "frobnicate_rare": 3000, "Quux_Rare_Thing": 3000, "wibble_rare": 4000, "xylophone_event": 60,
}
WORDS = """buffer length return static struct const int char void size_t if else for while switch case break continue
index value name node list next prev parent child entry table hash map key count offset start end begin stop open close
read write flush error status result code message string text line file path dir mode flags state config option init
free alloc copy move swap sort find search insert remove update create destroy parse format print debug info warning
assert check test setup teardown handle event loop timer thread lock unlock mutex signal wait queue stack push pop peek
request response header body method query param user session token cookie server client socket connect bind listen accept
send recv packet frame stream reader writer decoder encoder input output source target device driver register unregister
enable disable suspend resume probe attach detach memory page region block segment sector cache dirty clean sync async
callback context private public protected class interface import export module package def self None True False lambda
yield async await function var let const typeof instanceof undefined null this super extends implements throws""".split()
EXTENSIONS = [".c"] * 22 + [".h"] * 18 + [".py"] * 12 + [".js"] * 10 + [".ts"] * 8 + [".go"] * 6 + [".rs"] * 6 + \
    [".java"] * 5 + [".md"] * 4 + [".json"] * 4 + [".txt"] * 2 + [".sh"] * 2 + [".yaml"]


def identifier(r):
    style = r.random()
    words = r.choices(WORDS, k=r.choice((1, 1, 2, 2, 3)))
    if style < 0.6:
        return "_".join(words)
    if style < 0.8:
        return words[0] + "".join(w.capitalize() for w in words[1:])
    if style < 0.9:
        return "_".join(words).upper()
    return words[0] + str(r.randrange(1000))


def line(r):
    a, b, c, d = (identifier(r) for _ in range(4))
    n = r.randrange(10000)
    return "    " * r.choice((0, 1, 1, 2, 2, 3)) + r.choice((
        f"{a} = {b}({c}, {d});", f"if ({a} == {b}) {{", f"return {a}({b}, {n});", f"/* {a} {b} of the {c}, see {d} */",
        f"static int {a}(struct {b} *{c})", f"#include <{a}.h>", f"for (i = 0; i < {n}; i++) {a}[i] = {b};", "}", "",
        f"def {a}(self, {b}, {c}=None):", f"const {a} = await {b}.{c}({d});", f"// {a}: {b} must not be {n}",
        f'{a}_log("{b} failed: %s ({n})", {c});', f"{a}->{b} = 0x{n:04x};", f"self.{a} = {b}[{n}]", f"import {{ {a} }} from '{b}';"))


def make_blocks(r):
    """Pieces of about a kilobyte that files are put together from: making every line anew would take minutes."""
    blocks = []
    for _ in range(6000):
        lines, size = [], 0
        while size < 1000:
            lines.append(line(r))
            size += len(lines[-1]) + 1
        blocks.append("\n".join(lines) + "\n")
    return blocks


def make_folders(r, count):
    folders = [""]
    while len(folders) < count:
        parent = r.choice(folders)
        if parent.count("/") < 7:
            folders.append(parent + r.choice(WORDS) + str(len(folders)) + "/")
    return folders


def content(r, blocks, number):
    size = min(int(r.lognormvariate(8.25, 1.22)), 400_000)
    kind = r.random()
    if kind < 0.02:
        return b"\x89PNG\r\n\x1a\n\0" + r.randbytes(size)
    text = []
    while size > 0:
        block = r.choice(blocks)
        text.append(block if size >= 1000 else block[:size])
        size -= 1000
    text = "".join(text)
    if kind < 0.0233:
        text = text.replace("\n", " ")
    for word, rarity in PLANTED.items():
        if number % rarity == rarity // 2:
            at = text.find("\n", len(text) // 2) + 1
            text = text[:at] + f"    {word}(buffer, {number});\n" + text[at:]
    return text.encode()


def make(target, count):
    r = random.Random(20261126)
    blocks, folders = make_blocks(r), make_folders(r, max(1, count // 15))
    fresh = target + ".fresh"
    shutil.rmtree(fresh, ignore_errors=True)
    for folder in folders:
        os.makedirs(os.path.join(fresh, folder), exist_ok=True)
    total = 0
    for number in range(count):
        data = content(r, blocks, number)
        name = r.choice(folders) + r.choice(WORDS) + "_" + str(number) + r.choice(EXTENSIONS)
        with open(os.path.join(fresh, name), "wb") as file:
            file.write(data)
        total += len(data)
    with open(os.path.join(fresh, ".gitignore"), "w") as file:
        file.write("*.o\n*.tmp\n/build/\nnode_modules/\n")
    with open(os.path.join(fresh, ".made"), "w") as file:
        file.write(f"{count} files, {total} bytes\n")
    os.rename(fresh, target)
    return total


if __name__ == "__main__":
    target, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 60000
    if not os.path.exists(os.path.join(target, ".made")):
        print(f"tree.py: making {count} files in {target}", file=sys.stderr)
        make(target, count)
    print(open(os.path.join(target, ".made")).read().strip())
