#!/usr/bin/env python3
"""Compares the code with the table of rooms and with the rules that a compiler does not check.

    check_rooms.py [ROOT]     prints "file:line: what is wrong" and exits 1 when anything is; warnings do not count

The table is cmake/rooms.cmake, the one that the build uses.
"""
import pathlib
import re
import sys

MAX_LINES = 600

# A header of outside code -> the name in a room's LIBS; only that room may include it.
OUTSIDE = {
    "uv.h": "uv", "yyjson.h": "yyjson", "llhttp.h": "llhttp", "wslay/wslay.h": "wslay", "curl/curl.h": "curl",
    "curl/multi.h": "curl", "curl/easy.h": "curl", "pcre2.h": "pcre2", "engine.h": "engine", "zlib.h": "zlib",
    "yaml.h": "yaml", "bash/ast.h": "shell",
}
BANNED = "strcpy strcat strncpy strncat sprintf vsprintf strtok atoi atol gmtime localtime ctime".split()
HEAP = "malloc calloc realloc free strdup strndup".split()
LIBRARYS = "/* library's */"

ROOM = re.compile(r"^\s*bx_room\(\s*(\w+)([^)]*)\)", re.M)
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
CALL = re.compile(r"(?<![\w.>])(" + "|".join(BANNED + HEAP) + r")\s*\(")
# A tool is executed in one place, behind the permission check's pass.
EXECUTE = re.compile(r"(?:->|\.)\s*execute\s*\(")
EXECUTES = "src/tools/registry.c"
UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX)\b")
TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def read_rooms(path):
    rooms = {}
    text = re.sub(r"#[^\n]*", "", path.read_text())
    for name, rest in ROOM.findall(text):
        uses, libs, into = [], [], None
        for word in rest.split():
            if word == "USES":
                into = uses
            elif word == "LIBS":
                into = libs
            elif into is None:
                raise SystemExit(f"{path}: room {name}: '{word}' stands before USES or LIBS")
            else:
                into.append(word)
        for other in uses:
            if other not in rooms:
                raise SystemExit(f"{path}: room {name} uses {other}, which is not above it")
        rooms[name] = {"uses": set(uses) | {name}, "libs": set(libs)}
    if not rooms:
        raise SystemExit(f"{path}: no bx_room lines")
    return rooms


def code_only(text):
    """Comments and literals as blanks, lines kept."""
    return TOKEN.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


class Check:
    def __init__(self, root):
        self.root = root
        self.rooms = read_rooms(root / "cmake" / "rooms.cmake")
        self.problems = 0

    def problem(self, file, line, text):
        print(f"{file.relative_to(self.root)}:{line}: {text}")
        self.problems += 1

    def include(self, file, line, room, quote, name):
        lib = OUTSIDE.get(name)
        if room is None:  # main.c and its like stand above all rooms, and outside code is still not theirs
            if lib:
                self.problem(file, line, f"<{name}> belongs to a room, not to src/ itself")
            return
        row = self.rooms[room]
        if lib:
            if lib not in row["libs"]:
                owners = [r for r, v in self.rooms.items() if lib in v["libs"]] or ["no room"]
                self.problem(file, line, f"room {room} may not include {name}; {', '.join(owners)} may")
            return
        if quote != '"':
            return
        other = name.split("/")[0]
        if "/" not in name:
            self.problem(file, line, f'write #include "room/{name}", with the room')
        elif other not in self.rooms:
            self.problem(file, line, f'"{name}": there is no room {other}')
        elif other not in row["uses"]:
            self.problem(file, line, f"room {room} may not include {name}; its row in cmake/rooms.cmake allows "
                                     f"{', '.join(sorted(row['uses'] - {room})) or 'nothing'}")

    def own_header_first(self, file, room, includes):
        own = f"{room}/{file.stem}.h"
        names = [name for _, _, name in includes]
        if own in names and names[0] != own:
            line = includes[names.index(own)][0]
            self.problem(file, line, f'"{own}" must be the first include, so that it stands on its own')

    def file(self, file, room):
        text = file.read_text()
        lines = text.split("\n")
        code = code_only(text).split("\n")
        includes = []
        for number, line in enumerate(lines, 1):
            blank = code[number - 1]
            found = INCLUDE.match(line)
            if found and blank.lstrip().startswith("#"):  # not inside a comment
                includes.append((number, found.group(1), found.group(2)))
                self.include(file, number, room, found.group(1), found.group(2))
            if UNFINISHED.search(line):
                self.problem(file, number, "unfinished: " + UNFINISHED.search(line).group())
            if EXECUTE.search(blank) and str(file.relative_to(self.root)) != EXECUTES:
                self.problem(file, number, f"a tool is executed by bx_registry_execute only ({EXECUTES}): it holds the permission check's pass")
            for call in CALL.findall(blank):
                self.call(file, number, room, line, blank, call)
        if room and file.suffix == ".c":
            self.own_header_first(file, room, includes)
        if len(lines) - 1 > MAX_LINES:
            print(f"{file.relative_to(self.root)}:{MAX_LINES}: warning: {len(lines) - 1} lines; which second noun "
                  f"lives in here?")

    def call(self, file, number, room, line, code, call):
        if call in HEAP:
            if room != "base" and LIBRARYS not in line:
                self.problem(file, number, f"{call}: use bx_alloc and bx_free, or say {LIBRARYS} on the line")
        elif not code.lstrip().startswith("#"):  # base/banned.h defines them away
            self.problem(file, number, f"{call}: banned, base/banned.h says what to use")

    def run(self):
        src = self.root / "src"
        for file in sorted(src.rglob("*.[ch]")):
            parts = file.relative_to(src).parts
            room = parts[0] if len(parts) > 1 else None
            if room is not None and room not in self.rooms:
                self.problem(file, 1, f"the folder {room} is no room of cmake/rooms.cmake")
                continue
            self.file(file, room)
        return 1 if self.problems else 0


if __name__ == "__main__":
    here = pathlib.Path(__file__).resolve().parent.parent
    sys.exit(Check(pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else here).run())
