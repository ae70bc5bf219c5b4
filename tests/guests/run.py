#!/usr/bin/env python3
"""Runs the cases of the file tools: run.py --native DIR | --boxagnts BINARY [-k TEXT] [-v]

  --native DIR       tools built by guests/build.sh --native DIR (with sanitizers)
  --boxagnts BINARY  the tools inside the binary, in the real box: BINARY tool run NAME --root DIR --input - --json

cases/*.json are lists of cases:
  name, tool
  tree    files to make first: {"path": "text"}, or {"text" | "hex": …}, {"repeat": "text", "times": n}, a list of
          these, {"dir": true}, {"link": "target"}, {"fifo": true}; beside these "mtime": seconds. \\udcXX is byte XX.
  web     {URL: {"status": 200, "headers": {…}, "body": a file, or {"gzip" | "zlib" | "deflate": a file, "cut": n bytes off},
          "end": "denied" | "timeout" | "broken" | "large"}}: what the web answers (only the native back end has this one)
  input   the tool's parameters (a long one as repeat and times); or raw: what to send instead, written like a file; or "args": argv, no input
  want    is_error (default false), content, contains [], lacks [], matches (regex), blocks, metadata (members that must be so)
  after   {"path": what it holds, as in tree; null: is not there}
  same    true: the tree is as before, nothing added
  skip    back ends for which the case has no meaning, with why: {"boxagnts": "the host refuses the input first"}
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent
TIMEOUT_S = 120


def content_of(item):
    if isinstance(item, str):
        return item.encode("utf-8", "surrogateescape")
    if isinstance(item, list):
        return b"".join(content_of(part) for part in item)
    for kind, bits in (("gzip", 31), ("zlib", 15), ("deflate", -15)):
        if kind in item:
            packer = zlib.compressobj(wbits=bits)
            packed = packer.compress(content_of(item[kind])) + packer.flush()
            return packed[:len(packed) - item.get("cut", 0)]
    if "hex" in item:
        return bytes.fromhex(item["hex"])
    if "repeat" in item:
        return (item["repeat"] * item["times"]).encode()
    return item["text"].encode("utf-8", "surrogateescape")


def expanded(given):
    return {key: value["repeat"] * value["times"] if isinstance(value, dict) and "times" in value else value
            for key, value in given.items()}


def make_tree(root, tree):
    for name, item in tree.items():
        path = os.path.join(os.fsencode(root), name.encode("utf-8", "surrogateescape"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        special = item if isinstance(item, dict) else {}
        if special.get("dir"):
            os.makedirs(path, exist_ok=True)
        elif "link" in special:
            os.symlink(special["link"], path)
        elif special.get("fifo"):
            os.mkfifo(path)
        else:
            with open(path, "wb") as file:
                file.write(content_of(item))
        if "mtime" in special:
            os.utime(path, (special["mtime"],) * 2)


def make_web(folder, web):
    for url, answer in web.items():
        name = "".join(c if c.isascii() and c.isalnum() else f"%{ord(c):02X}" for c in url)
        head = f"end {answer['end']}\n" if "end" in answer else ""
        if "body" in answer:
            head += f"HTTP/1.1 {answer.get('status', 200)}\n"
        head += "".join(f"{key}: {value}\n" for key, value in answer.get("headers", {}).items())
        with open(os.path.join(folder, name), "wb") as file:
            file.write(head.encode() + b"\n" + content_of(answer.get("body", "")))


def snapshot(root):
    found = {}
    for folder, dirs, files in os.walk(os.fsencode(root)):
        for name in dirs + files:
            path = os.path.join(folder, name)
            if os.path.islink(path):
                found[path] = b"link:" + os.readlink(path)
            elif os.path.isfile(path):
                with open(path, "rb") as file:
                    found[path] = file.read()
            else:
                found[path] = None
    return found


class Backend:
    def __init__(self, options):
        self.name = "native" if options.native else "boxagnts"
        self.where = options.native or options.boxagnts

    def command(self, case, root):
        tool, args = case["tool"], case.get("args", [])
        if self.name == "native":
            return [os.path.join(self.where, tool), *args]
        return [self.where, "tool", "run", tool, "--root", root, "--input", "-", "--json"]

    def has_no_meaning(self, case):
        return self.name in case.get("skip", {}) or ("web" in case and self.name != "native")

    def call(self, case, root, web):
        env = dict(os.environ, BX_GUEST_ROOT=root, BX_GUEST_WEB=web, ASAN_OPTIONS="detect_leaks=0:abort_on_error=0")
        text = content_of(case["raw"]) if "raw" in case else json.dumps(expanded(case.get("input", {}))).encode()
        done = subprocess.run(self.command(case, root), input=text, capture_output=True, env=env, timeout=TIMEOUT_S)
        if "args" in case:
            return json.loads(done.stdout)
        if self.name != "boxagnts" and (done.returncode or done.stderr):
            raise AssertionError(f"exit {done.returncode}, stderr: {done.stderr.decode(errors='replace')[-1500:]}")
        try:
            return json.loads(done.stdout.decode("utf-8"))
        except ValueError as error:
            raise AssertionError(f"the output is not JSON ({error}): {done.stdout[:300]!r} {done.stderr[-300:]!r}")


def check_answer(want, answer):
    content = answer.get("content")
    text = content if isinstance(content, str) else json.dumps(content)
    said = text if len(text) < 1500 else text[:700] + " [...] " + text[-700:]
    if bool(answer.get("is_error")) != want.get("is_error", False):
        yield f"is_error is {answer.get('is_error')}: {said}"
    if "content" in want and text != want["content"]:
        yield f"content is {said!r}, not {want['content']!r}"
    if "blocks" in want and content != want["blocks"]:
        yield f"blocks are {said}"
    for part in want.get("contains", []):
        if part not in text:
            yield f"{part!r} is not in {said!r}"
    for part in want.get("lacks", []):
        if part in text:
            yield f"{part!r} is in {said!r}"
    if "matches" in want and not re.search(want["matches"], text, re.S):
        yield f"{want['matches']!r} does not match {said!r}"
    if "max_bytes" in want and len(text.encode()) > want["max_bytes"]:
        yield f"the content has {len(text.encode())} bytes"
    for key, value in want.get("metadata", {}).items():
        have = (answer.get("metadata") or {}).get(key)
        if have != value:
            yield f"metadata.{key} is {have!r}, not {value!r}"
    for key, value in want.get("answer", {}).items():
        if answer.get(key) != value:
            yield f"{key} is {answer.get(key)!r}, not {value!r}"


def check_after(case, root, before):
    for name, item in case.get("after", {}).items():
        path = os.path.join(os.fsencode(root), name.encode("utf-8", "surrogateescape"))
        if item is None:
            if os.path.lexists(path):
                yield f"{name} is there"
            continue
        if isinstance(item, dict) and "link" in item:
            if not os.path.islink(path) or os.readlink(path) != os.fsencode(item["link"]):
                yield f"{name} is no longer a link to {item['link']}"
            continue
        have = open(path, "rb").read() if os.path.isfile(path) else None
        if have != content_of(item):
            yield f"{name} holds {have!r}"
    if case.get("same") and snapshot(root) != before:
        yield "files were changed or left behind"
    for path in snapshot(root):
        if b".bx-" in path:
            yield f"{path!r} was left behind"


def run_case(backend, case):
    root, web = tempfile.mkdtemp(prefix="guest-"), tempfile.mkdtemp(prefix="guest-web-")
    try:
        make_web(web, case.get("web", {}))
        make_tree(root, case.get("tree", {}))
        before = snapshot(root)
        answer = backend.call(case, root, web)
        return list(check_answer(case.get("want", {}), answer)) + list(check_after(case, root, before))
    except (AssertionError, OSError, ValueError, subprocess.TimeoutExpired) as error:
        return [str(error)]
    finally:
        shutil.rmtree(root, ignore_errors=True)
        shutil.rmtree(web, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser()
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--native")
    which.add_argument("--boxagnts")
    parser.add_argument("-k", default="", help="only cases whose name holds this text")
    parser.add_argument("-v", action="store_true", help="name every case")
    options = parser.parse_args()
    backend = Backend(options)
    passed = failed = skipped = 0
    names = set()
    for file in sorted((HERE / "cases").glob("*.json")):
        for case in json.loads(file.read_text()):
            name = f"{file.stem}: {case['name']}"
            assert name not in names, f"two cases are called {name}"
            names.add(name)
            if options.k not in name:
                continue
            if backend.has_no_meaning(case):
                skipped += 1
                continue
            wrong = run_case(backend, case)
            passed, failed = passed + (not wrong), failed + bool(wrong)
            if wrong or options.v:
                print(("FAIL " if wrong else "ok   ") + name, *wrong, sep="\n     ")
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    sys.exit(1 if failed or not passed else 0)


main()
