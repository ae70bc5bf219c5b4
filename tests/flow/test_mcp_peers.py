#!/usr/bin/env python3
"""MCP against servers that others made: the official SDKs for Python (the stateless era and the one before) and TypeScript, and
FastMCP, over standard input and output, streamable HTTP and the transport of 2024-11-05."""
import json
import os
import socket
import subprocess
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from boxagnts import PATIENCE, Server, Workspace  # noqa: E402

PEERS = os.path.join(HERE, "..", "peers", "mcp")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Peers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.peers = subprocess.run([os.path.join(PEERS, "install.sh")], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        node = os.path.join(cls.peers, "node", "node_modules", "@modelcontextprotocol", "server-everything", "dist", "index.js")
        python = lambda file, era: ([sys.executable, os.path.join(PEERS, file)], {"PYTHONPATH": os.path.join(cls.peers, era)})
        programs = {"new": python("sdk.py", "both"), "old": python("sdk.py", "legacy"), "fast": python("fast.py", "both")}
        cls.workspace, cls.processes = Workspace(), []
        cls.addClassCleanup(cls.workspace.close)
        servers, ports = {"node": {"command": "node", "args": [node, "stdio"]}}, []
        for name, (command, env) in programs.items():
            port = free_port()
            servers[name] = {"command": command[0], "args": command[1:] + ["stdio"], "env": env}
            servers[name + "_http"] = {"url": f"http://127.0.0.1:{port}/mcp"}
            cls.start(command + ["http", str(port)], env)
            ports.append(port)
        for name, word, path in (("node_http", "streamableHttp", "mcp"), ("node_sse", "sse", "sse")):
            port = free_port()
            servers[name] = {"url": f"http://127.0.0.1:{port}/{path}", **({"type": "sse"} if path == "sse" else {})}
            cls.start(["node", node, word], {"PORT": str(port)})
            ports.append(port)
        for port in ports:
            cls.wait_for_port(port)
        with open(os.path.join(cls.workspace.state, "settings.json"), "w") as file:
            json.dump({"mcpServers": servers}, file)
        cls.server = Server(cls.workspace)
        cls.addClassCleanup(cls.server.end)
        for name in servers:
            cls.server.call("POST", f"/mcp/{name}/restart", {})
        cls.servers = {row["name"]: row for row in cls.server.call("GET", "/mcp")[1]["servers"]}

    @classmethod
    def start(cls, command, env):
        process = subprocess.Popen(command, env={**os.environ, **env}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cls.addClassCleanup(process.wait)
        cls.addClassCleanup(process.kill)

    @staticmethod
    def wait_for_port(port):
        end = time.monotonic() + PATIENCE
        while True:
            try:
                return socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)

    def call(self, tool, **arguments):
        status, reply = self.server.call("POST", f"/tools/{tool}/run", {"input": arguments})
        self.assertEqual(status, 200, tool)
        return reply

    def test_eras(self):
        self.assertEqual({name: (row["protocol"], row["error"]) for name, row in self.servers.items()}, {
            "new": ("2026-07-28", None), "new_http": ("2026-07-28", None), "fast": ("2026-07-28", None), "fast_http": ("2026-07-28", None),
            "old": ("2025-11-25", None), "old_http": ("2025-11-25", None),
            "node": ("2025-11-25", None), "node_http": ("2025-11-25", None), "node_sse": ("2025-11-25", None)})

    def test_calls(self):
        for server in ("new", "new_http", "old", "old_http", "fast", "fast_http"):
            result = self.call(f"mcp__{server}__add", a=2, b=3)
            self.assertEqual((result["content"], result["metadata"]), ("5", {"structured": {"result": 5}}), server)
            self.assertIn("do not fit", self.call(f"mcp__{server}__add", a="x", b=3)["content"])
        for server in ("node", "node_http", "node_sse"):
            self.assertEqual(self.call(f"mcp__{server}__echo", message="hi")["content"], "Echo: hi")

    def test_failures(self):
        for server in ("new", "new_http", "old", "old_http"):
            result = self.call(f"mcp__{server}__fail")
            self.assertTrue(result["is_error"])
            self.assertEqual(self.call(f"mcp__{server}__count")["content"], "counted")

    def test_resources_and_images(self):
        for server in ("new", "old_http"):
            self.assertIn("the memo of the SDK", self.call("ReadMcpResource", server=server, uri="memo://one")["content"])
        image = [b for b in self.call("mcp__node__get-tiny-image")["content"] if b["type"] == "image"]
        self.assertEqual(image[0]["mime"], "image/png")

    def test_stop_of_a_long_call(self):
        run = self.workspace.command("tool", "run", "mcp__node_http__trigger-long-running-operation", "--workspace-dir", self.workspace.path, "--json",
                                     "--limit", "time=500ms", "--input", '{"duration": 60, "steps": 60}')
        out, err = run.communicate(timeout=PATIENCE)
        self.assertEqual(json.loads(out)["limit"], "time", err)


if __name__ == "__main__":
    unittest.main(verbosity=2)
