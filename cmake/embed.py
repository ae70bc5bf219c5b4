#!/usr/bin/env python3
"""Puts files into the binary.

embed.py OUT_BASE KIND SPEC...   writes OUT_BASE.S (the bytes, by .incbin) and OUT_BASE.c (the tables)

KIND blob:  SPEC = SYMBOL=FILE            struct bx_blob SYMBOL
KIND tools: SPEC = NAME=DESCRIPTOR:WASM:IMAGE:FUEL_IMAGE   bx_embedded_images[], bx_embedded_tools[]
            SPEC = NAME=@COMMANDS:WASM:IMAGE:FUEL_IMAGE    bx_embedded_images[], bx_embedded_programs[]: the file has the
                                                           names of the image's commands. An image *.packed is compressed
KIND page:  SPEC = DIRECTORY              bx_page_files[]; FILE.gz beside FILE is its compressed form
KIND files: SPEC = SYMBOL=DIRECTORY       struct bx_file_blob SYMBOL[], ended by a NULL name
"""
import hashlib
import json
import os
import sys

MIME = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
        ".svg": "image/svg+xml", ".png": "image/png", ".ico": "image/x-icon", ".woff2": "font/woff2",
        ".json": "application/json", ".txt": "text/plain; charset=utf-8", ".webmanifest": "application/manifest+json"}

# Tools that are programs of the shell, too
TOOL_COMMANDS = {"bash": ["bash", "sh"], "jsexec": ["node", "qjs", "js"]}


class Bytes:
    """Assembly that holds files; add() gives the C expressions of address and size."""

    def __init__(self, base):
        self.tag = os.path.basename(base).replace("-", "_").replace(".", "_")
        self.lines = ['    .section .rodata.bx_embedded,"a",@progbits']
        self.decls = []

    def add(self, path, align=16):
        label = f"bx_bytes_{self.tag}_{len(self.decls)}"
        size = os.path.getsize(path)
        self.lines += [f"    .balign {align}", f"    .global {label}", f"    .hidden {label}",
                       f"    .type {label}, %object", f"    .size {label}, {size + 1}", f"{label}:",
                       f'    .incbin "{os.path.abspath(path)}"', "    .byte 0"]
        self.decls.append(f"extern const unsigned char {label}[];")
        return label, size


def c_string(text):
    return json.dumps(text, ensure_ascii=True).replace("??", "?\\?")


def blobs(data, specs):
    out = ['#include "base/blob.h"', ""]
    for spec in specs:
        symbol, path = spec.split("=", 1)
        label, size = data.add(path)
        out.append(f"const struct bx_blob {symbol} = {{{label}, {size}}};")
    return out


def tools(data, specs):
    images, rows, programs = [], [], []
    for spec in specs:
        name, paths = spec.split("=", 1)
        descriptor, wasm, *forms = paths.split(":")
        with open(wasm, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        is_packed = forms[0].endswith(".packed")
        for fuel, image in zip(("false", "true"), forms):
            label, size = data.add(image, 16 if is_packed else 4096)
            packed = "true" if is_packed else "false"
            images.append(f'    {{"{name}", {fuel}, {packed}, "{digest}", {label}, {label} + {size}}},')
        if descriptor.startswith("@"):
            with open(descriptor[1:]) as file:
                programs += [(command, name) for command in file.read().split()]
            continue
        text_label, _ = data.add(descriptor)
        rows.append(f'    {{"{name}", (const char *){text_label}}},')
        programs += [(command, name) for command in TOOL_COMMANDS.get(name, [])]
    if len(dict(programs)) != len(programs):
        sys.exit("embed: two images have the same command: " + " ".join(sorted(
            {command for command, _ in programs if [c for c, _ in programs].count(command) > 1})))
    return (['#include "box/embedded.h"', '#include "tools/embedded.h"', "",
             "const struct bx_embedded_image bx_embedded_images[] = {"] + images +
            ["    {NULL, false, false, NULL, NULL, NULL},", "};", "",
             "const struct bx_embedded_program bx_embedded_programs[] = {"] +
            [f'    {{"{command}", "{image}"}},' for command, image in sorted(programs)] +
            ["    {NULL, NULL},", "};", "",
             "const struct bx_embedded_tool bx_embedded_tools[] = {"] + rows +
            ["};", f"const size_t bx_embedded_tool_count = {len(rows)};"])


def page(data, specs):
    rows, top = [], specs[0]
    for folder, _, names in sorted(os.walk(top)):
        for name in sorted(names):
            path = os.path.join(folder, name)
            if name.endswith(".gz") or name.endswith(".map"):
                continue
            url = "/" + os.path.relpath(path, top)
            mime = MIME.get(os.path.splitext(name)[1], "application/octet-stream")
            label, size = data.add(path)
            gz, gz_size = data.add(path + ".gz") if os.path.exists(path + ".gz") else ("NULL", 0)
            with open(path, "rb") as file:
                etag = hashlib.sha256(file.read()).hexdigest()[:16]
            rows.append(f'    {{{c_string(url)}, {c_string(mime)}, {label}, {size}, {gz}, {gz_size}, "\\"{etag}\\""}},')
    return (['#include "api/page.h"', "", "const struct bx_page_file bx_page_files[] = {"] + rows +
            ["};", f"const size_t bx_page_file_count = {len(rows)};"])


def files(data, specs):
    out = ['#include "base/blob.h"', ""]
    for spec in specs:
        symbol, top = spec.split("=", 1)
        rows = []
        for folder, folders, names in os.walk(top):
            folders.sort()
            for name in sorted(names):
                path = os.path.join(folder, name)
                label, size = data.add(path)
                program = "true" if os.access(path, os.X_OK) else "false"
                rows.append(f'    {{{c_string(os.path.relpath(path, top))}, {{{label}, {size}}}, {program}}},')
        out += [f"const struct bx_file_blob {symbol}[] = {{"] + rows + ["    {NULL, {NULL, 0}, false},", "};"]
    return out


def main():
    base, kind, specs = sys.argv[1], sys.argv[2], sys.argv[3:]
    data = Bytes(base)
    body = {"blob": blobs, "tools": tools, "page": page, "files": files}[kind](data, specs)
    with open(base + ".S", "w") as file:
        file.write("\n".join(data.lines + ['    .section .note.GNU-stack,"",@progbits', ""]))
    includes = [line for line in body if line.startswith("#include")]
    rest = body[len(includes):]
    with open(base + ".c", "w") as file:
        file.write("/* generated by cmake/embed.py */\n" + "\n".join(includes + [""] + data.decls + rest) + "\n")


main()
