"""size.py MAP: what takes the room in the binary, from the linker's map: bytes in the file by origin."""
import collections
import re
import sys

GROUPS = [("guests", r"generated/tools"), ("page", r"generated/page"), ("tour model, notices", r"generated/blobs"),
          ("sandbox engine", r"boxagnts_engine|libengine|/engine-"), ("llama.cpp", r"/llama-"), ("curl", r"libcurl"),
          ("OpenSSL", r"libssl|libcrypto"), ("libuv, llhttp, wslay, yyjson, zlib", r"libuv|libllhttp|libwslay|libyyjson|libz\."),
          ("C++ library", r"libstdc\+\+|libgcc|libgomp"), ("our C", r"libbx_|src/main")]
PIECE = re.compile(r"^ (\.\S+)?\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (\S.*)$")
NAME = re.compile(r"^ (\.\S+)$")
OUTPUT = re.compile(r"^(\.\S+)")
NOT_IN_FILE = re.compile(r"^\.(bss|tbss|comment|debug|note\.gnu\.build)")


def group_of(path):
    for name, pattern in GROUPS:
        if re.search(pattern, path):
            return name
    return "C runtime and the rest"


def parts(path):
    """[(origin, bytes)], the largest first."""
    found = collections.Counter()
    with open(path, errors="replace") as file:
        for line in file:
            if line.startswith("Linker script and memory map"):
                break
        output, pending = "", ""
        for line in file:
            line = line.rstrip("\n")
            if OUTPUT.match(line):
                output = line.split()[0]
            name = NAME.match(line)
            if name:
                pending = name.group(1)
                continue
            piece = PIECE.match(line)
            if piece and output and (piece.group(1) or pending) and not NOT_IN_FILE.match(output):
                found[group_of(piece.group(4))] += int(piece.group(3), 16)
            pending = ""
    return found.most_common()


if __name__ == "__main__":
    for origin, count in parts(sys.argv[1]):
        print(f"{count / 1e6:7.2f} MB  {origin}")
