"""A server made with the official Python SDK (`mcp`): sdk.py stdio|http. http prints nothing; the port is the second argument."""
import sys

try:
    from mcp.server.mcpserver import Context, MCPServer as Server
except ImportError:  # before 2.0
    from mcp.server.fastmcp import Context, FastMCP as Server

server = Server("sdk")


@server.tool()
def add(a: int, b: int) -> int:
    """Adds two numbers"""
    return a + b


@server.tool()
async def count(ctx: Context) -> str:
    """Tells how far it is"""
    for i in range(3):
        await ctx.report_progress(i + 1, 3)
    return "counted"


@server.tool()
def fail() -> str:
    """Fails"""
    raise ValueError("on purpose")


@server.resource("memo://one")
def memo() -> str:
    """A memo"""
    return "the memo of the SDK"


if sys.argv[1] == "stdio":
    server.run("stdio")
else:
    port = int(sys.argv[2])
    try:
        server.run("streamable-http", host="127.0.0.1", port=port)
    except TypeError:
        server.settings.host, server.settings.port = "127.0.0.1", port
        server.run("streamable-http")
