#!/usr/bin/env python3
"""notices.py OUT: writes the licences of everything inside the binary, from the lock files.

Reads sources.lock and the built dependencies (C libraries), engine/Cargo.lock by `cargo metadata` (crates),
ui/package-lock.json and ui/node_modules (the page's packages) and Debian's copyright files. All of them
must have been built or fetched before. The result depends on nothing else.
"""
import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Dependencies whose code ends up in the binary -> their row in sources.lock
LIBRARIES = {"awk": "original-awk", "brotli": "brotli", "curl": "curl-sys", "jq": "jq", "lexbor": "selectolax",
             "llama": "node-llama-cpp", "llhttp": "llhttp", "pcre2": "pcre2-sys", "quickjs": "quickjs-ng", "toybox": "toybox",
             "uv": "libuv-sys2", "wslay": "wslay-sys", "yyjson": "yyjson-sys", "zig": "ziglang", "zlib": "libz-sys"}
# A licence file in a dependency's prefix -> how it is written here; None: not in the binary
WRITTEN = {"zig": None, "wasi-libc": "wasi-libc (in the guests), from ziglang"}
# npm packages that are only needed to build the page but leave something of themselves in it
LEFT_IN_PAGE = {"lucide-static"}
DEBIAN_RUNTIME = [("libstdc++", "libstdc++-12-dev", "GPL-3.0-or-later WITH GCC-exception-3.1"),
                  ("libgcc", "libgcc-12-dev", "GPL-3.0-or-later WITH GCC-exception-3.1")]

LICENCE_FILE = re.compile(r"^(licen[cs]e|copying|copyright|notice|unlicense)", re.IGNORECASE)
COPYRIGHT_LINE = re.compile(r"^\s*Copyright\s*(\([cC]\)|©)?\s*(\d{4}|[A-Z]|<|\[)")
SHORT_TEXT = 3000  # characters; in texts of this size the copyright lines are set apart


class Notices:
    def __init__(self):
        self.components = []  # (heading, [(copyright lines, index of text)])
        self.texts = []
        self.index = {}

    def _number(self, text):
        key = " ".join(text.split())
        if key not in self.index:
            self.texts.append(text.strip("\n"))
            self.index[key] = len(self.texts)
        return self.index[key]

    def add(self, name, version, licence, texts):
        parts = []
        for text in texts:
            lines = [line.rstrip() for line in text.replace("\r", "").replace("\f", "").split("\n")]
            owners = []
            if len(text) < SHORT_TEXT:
                owners = [line.strip() for line in lines if COPYRIGHT_LINE.match(line)]
                lines = [line for line in lines if not COPYRIGHT_LINE.match(line)]
            parts.append((owners, self._number("\n".join(lines))))
        self.components.append(("%s %s" % (name, version) if version else name, licence, parts))

    def text(self):
        out = ["BoxAgnts contains the software listed here, each part under its own licence.", "",
               "The numbers lead to the licence texts at the end.", ""]
        for heading, licence, parts in self.components:
            out.append("%s: %s%s" % (heading, licence, "".join(" [%d]" % number for _, number in parts)))
            for owner in dict.fromkeys(owner for owners, _ in parts for owner in owners):
                out.append("    " + owner)
        for number, text in enumerate(self.texts, 1):
            out += ["", "-" * 30 + " [%d] " % number + "-" * 30, "", text]
        return "\n".join(out) + "\n"


def run(*command):
    result = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if result.returncode != 0:
        sys.exit("notices: %s failed" % " ".join(command))
    return result.stdout


def read(path):
    return path.read_text(encoding="utf-8", errors="replace")


def licence_texts(folder, expression):
    """The licence files of a package; where MIT is one of the choices, that one is taken."""
    files = sorted(path for path in folder.iterdir() if LICENCE_FILE.match(path.name) and path.is_file())
    subfolder = folder / "LICENSES"
    if not files and subfolder.is_dir():
        files = sorted(subfolder.iterdir())
    mit = [path for path in files if "mit" in path.name.lower()]
    if " OR " in expression.replace("/", " OR ") and "MIT" in expression and mit:
        files = mit
    return [read(path) for path in files]


def lock_rows():
    for line in read(ROOT / "third_party" / "sources.lock").splitlines():
        if line and not line.startswith("#"):
            yield line.split()


def add_libraries(notices):
    rows = {row[0]: row for row in lock_rows()}
    for dependency, row_name in sorted(LIBRARIES.items()):
        prefix = Path(run("third_party/build.sh", "--print", dependency).strip())
        if not (prefix / ".done").exists():
            sys.exit("notices: run third_party/build.sh %s first" % dependency)
        _, version, _, _, licence = rows[row_name]
        for path in sorted((prefix / "licence").iterdir()):
            name = WRITTEN.get(path.name, path.name)
            if name is not None:
                source = "(%s %s)" % (row_name, version)
                notices.add(name, source, licence_of(path.name, licence), [read(path)])


def licence_of(name, default):
    """Parts that come inside another package have a licence of their own."""
    return {"wasi-libc": "Apache-2.0 WITH LLVM-exception OR MIT", "xxhash": "BSD-2-Clause",
            "sha256": "public domain", "oniguruma": "BSD-2-Clause"}.get(name, default)


def add_debian(notices):
    rows = [(row[0], row[0], row[4]) for row in lock_rows() if row[2] == "apt"]
    for name, package, licence in sorted(rows) + DEBIAN_RUNTIME:
        version = run("dpkg-query", "-W", "-f", "${Version}", package)
        texts = []
        if (name, package, licence) not in DEBIAN_RUNTIME:
            texts = [read(Path("/usr/share/doc") / package / "copyright")]
        notices.add(name, "(Debian %s)" % version, licence, texts)


def linked_crates(metadata):
    """The ids of the packages that the engine links, without what only builds or tests need."""
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    seen, waiting = set(), [metadata["resolve"]["root"]]
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        for dependency in nodes[current]["deps"]:
            if any(kind["kind"] is None for kind in dependency["dep_kinds"]):
                waiting.append(dependency["pkg"])
    seen.remove(metadata["resolve"]["root"])
    return seen


def add_crates(notices):
    notices.add("Rust standard library", "", "MIT OR Apache-2.0", [])
    metadata = json.loads(run(
        "cargo", "metadata", "--locked", "--offline", "--format-version", "1", "--manifest-path",
        "engine/Cargo.toml", "--filter-platform", os.uname().machine + "-unknown-linux-gnu"))
    linked = linked_crates(metadata)
    packages = [package for package in metadata["packages"] if package["id"] in linked]
    for package in sorted(packages, key=lambda package: (package["name"], package["version"])):
        licence = package["license"] or "see its text"
        texts = licence_texts(Path(package["manifest_path"]).parent, licence)
        notices.add(package["name"], package["version"], licence, texts)


def add_page(notices):
    packages = json.loads(read(ROOT / "ui" / "package-lock.json"))["packages"]
    for path, package in sorted(packages.items()):
        name = path.rpartition("node_modules/")[2]
        in_page = (not package.get("dev") or name in LEFT_IN_PAGE) and not name.startswith("@types/")
        if not path or not in_page:
            continue
        folder = ROOT / "ui" / path
        if not folder.is_dir():
            sys.exit("notices: run ui/build.sh first (there is no %s)" % path)
        notices.add(name, package["version"], package["license"], licence_texts(folder, package["license"]))


def main(arguments):
    if len(arguments) != 1:
        sys.exit("usage: notices.py OUT")
    notices = Notices()
    add_libraries(notices)
    add_debian(notices)
    add_crates(notices)
    add_page(notices)
    Path(arguments[0]).write_text(notices.text(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
