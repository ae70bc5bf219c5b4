#!/usr/bin/env python3
"""tools_doc.py BINARY [--check]: writes docs/tool-reference.md from what the binary says of its tools, or checks that it is as it would be
written (tests/flow/test_docs.py does)."""
import json
import os
import re
import subprocess
import sys

TARGET = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "docs", "tool-reference.md")
HEAD = """# The tools

Written by `scripts/tools_doc.py` from what the binary says of its own tools (`boxagnts tool describe NAME`); do not edit.
Paths are those of the root: `src/main.c`, `/src/main.c` and the host's own path of that file all mean the same.

| tool | kind | level | what it is for |
|---|---|---|---|
"""
KINDS = {"box": "in the sandbox", "native": "of the server"}


def ask(binary, *args):
    done = subprocess.run([binary, "tool", *args, "--json"], capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise SystemExit(f"tools_doc: {' '.join(args)}: {done.stderr}")
    return json.loads(done.stdout)


def first_sentence(text):
    return re.split(r"(?<=[.]) (?=[A-Z])", text, maxsplit=1)[0].replace("|", "\\|")


def type_of(schema):
    if "enum" in schema:
        return " or ".join(f"`{json.dumps(value)}`" for value in schema["enum"])
    kind = schema.get("type", "any")
    if kind == "array":
        return "list of " + type_of(schema.get("items", {}))
    return kind if isinstance(kind, str) else " or ".join(kind)


def parameter(name, schema, needed, depth=0):
    text = "  " * depth + f"- `{name}` ({type_of(schema)}{', needed' if needed else ''})"
    if schema.get("description"):
        text += ": " + schema["description"]
    lines = [text]
    inner = schema.get("items", schema) if schema.get("type") == "array" else schema
    for member, part in inner.get("properties", {}).items():
        lines += parameter(member, part, member in inner.get("required", []), depth + 1)
    return lines


def section(tool):
    schema = tool["input_schema"]
    lines = [f"## {tool['name']}", "", tool["description"], ""]
    for name, part in schema.get("properties", {}).items():
        lines += parameter(name, part, name in schema.get("required", []))
    if "example" in tool:
        example = json.dumps(tool["example"], ensure_ascii=False)
        lines += ["", "```sh", f"boxagnts tool run {tool['name']} --input '{example}'" if "'" not in example else example, "```"]
    return "\n".join(lines) + "\n"


def document(binary):
    rows = [tool for tool in ask(binary, "list") if tool["source"] == "built in"]
    text = HEAD
    for row in rows:
        text += f"| [{row['name']}](#{row['name'].lower()}) | {KINDS.get(row['kind'], row['kind'])} | {row['level']} | " \
                f"{first_sentence(row['description'])} |\n"
    return text + "\n" + "\n".join(section(ask(binary, "describe", row["name"])) for row in rows)


def main():
    text = document(sys.argv[1])
    if "--check" in sys.argv:
        with open(TARGET) as file:
            if file.read() != text:
                raise SystemExit(f"docs/tool-reference.md is not what the tools say: run scripts/tools_doc.py {sys.argv[1]}")
        return
    with open(TARGET, "w") as file:
        file.write(text)


main()
