#!/usr/bin/env python3
"""section.py MODULE OUT: copies the custom section component-type:* of a module, header and all, to OUT."""
import sys


def number(data, at):  # LEB128
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7f) << shift
        shift += 7
        if not byte & 0x80:
            return value, at


data, at = open(sys.argv[1], "rb").read(), 8
while at < len(data):
    start, kind = at, data[at]
    size, body = number(data, at + 1)
    name_size, name = number(data, body)
    at = body + size
    if kind == 0 and data[name:name + name_size].startswith(b"component-type"):
        open(sys.argv[2], "wb").write(data[start:at])
        sys.exit(0)
sys.exit("there is no such section")
