"""A server made with `fastmcp`: fast.py stdio|http PORT."""
import sys

from fastmcp import FastMCP

server = FastMCP("fast")


@server.tool
def add(a: int, b: int) -> int:
    """Adds two numbers"""
    return a + b


if sys.argv[1] == "stdio":
    server.run(show_banner=False)
else:
    server.run("http", host="127.0.0.1", port=int(sys.argv[2]), show_banner=False)
