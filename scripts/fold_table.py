#!/usr/bin/env python3
"""Writes src/base/fold_table.h: which letters differ in case only (simple case folding of Unicode, as this Python knows it).

Left out are letters whose forms differ in their number of bytes in UTF-8: a search then compares texts without moving apart."""
import os
import unicodedata

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")


def fold(c):
    text = chr(c)
    for form in (text.casefold(), text.lower()):
        if len(form) == 1 and len(form.encode()) == len(text.encode()):
            return ord(form)
    return c


def letters():
    return [(c, fold(c)) for c in range(0x80, 0x110000) if not 0xD800 <= c < 0xE000 and fold(c) != c]


def rows(pairs):
    """Neighbours at the same distance, each one or every second one, are one row."""
    found = []
    for c, to in pairs:
        if found:
            first, last, step, delta = found[-1]
            gap = c - last
            if delta == to - c and (gap == step or (first == last and gap in (1, 2))):
                found[-1] = (first, c, gap, delta)
                continue
        found.append((c, c, 1, to - c))
    return found


def main():
    table = rows(letters())
    with open(os.path.join(ROOT, "src/base/fold_table.h"), "w") as out:
        out.write(f"/* base/fold_table.h: letters that differ in case only, by Unicode {unicodedata.unidata_version}. Written by\n"
                  " * scripts/fold_table.py; fold.c alone includes it. */\n"
                  "#ifndef BX_BASE_FOLD_TABLE_H\n#define BX_BASE_FOLD_TABLE_H\n\n"
                  "static const struct { uint32_t first, last, step; int32_t delta; } fold_table[] = {\n")
        line = "   "
        for row in table:
            text = " {0x%x, 0x%x, %d, %d}," % row
            if len(line + text) > 130:
                out.write(line + "\n")
                line = "   "
            line += text
        out.write(line + "\n};\n\n#endif\n")


if __name__ == "__main__":
    main()
