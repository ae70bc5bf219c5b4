#!/usr/bin/env python3
"""Every limit fires, is named, and says the setting that changes it; and what it says is a setting."""
import http.server
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from boxagnts import BINARY, PATIENCE, Workspace  # noqa: E402

GUESTS = subprocess.run([os.path.join(HERE, "..", "attack", "build_guests.sh")], capture_output=True, text=True, check=True).stdout.strip()
FETCH = {"url": {"type": "string"}, "then": {"type": "string"}}
OWN = {"fetch": FETCH, "tables": {}, "table": {"n": {"type": "string"}}, "recurse": {"n": {"type": "string"}}}
LOOP = "while :; do :; done"

# name: tool, input, --limit
FIRES = {
    "time": ("bash", {"command": "sleep 60"}, "time=300ms"),
    "cpu": ("bash", {"command": LOOP}, "cpu=200ms"),
    "fuel": ("bash", {"command": LOOP}, "fuel=10M"),
    "memory": ("bash", {"command": "x=0123456789; while :; do x=$x$x; done"}, "memory=16MiB"),
    "stack": ("recurse", {"n": "40000"}, "stack=512k"),
    "table": ("table", {"n": "200000"}, "table=100000"),
    "instances": ("tables", {}, "instances=8"),
    "processes": ("bash", {"command": "cat /a | cat | cat | cat"}, "processes=2"),
    "output": ("bash", {"command": "while :; do echo 0123456789012345678901234567890123456789; done"}, "output=64KiB"),
    "response": ("fetch", {"url": "@/size/5000"}, "response=2KiB"),
    "written": ("bash", {"command": "head -c 3000000 /dev/zero >/big"}, "written=1MiB"),
    "network": ("fetch", {"url": "http://127.0.0.1:9/"}, None),
    "path": ("read", {"file_path": "/link"}, None),
    "guarded": ("bash", {"command": "echo planted >/.envrc"}, None),
}
ELSEWHERE = {"request"}  # a guest of C sends no body: tests/flow/test_one_interface.py


class Peer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", self.path[6:])
        self.end_headers()
        try:
            self.wfile.write(b"x" * int(self.path[6:]))
        except ConnectionError:
            pass  # a limit ended it

    def log_message(self, *_):
        pass


class Limits(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cache = tempfile.TemporaryDirectory(prefix="bx-limits-")  # guests are compiled once
        cls.addClassCleanup(cache.cleanup)
        cls.cache = cache.name
        peer = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Peer)
        threading.Thread(target=peer.serve_forever, daemon=True).start()
        cls.addClassCleanup(peer.server_close)
        cls.addClassCleanup(peer.shutdown)
        cls.at = f"http://127.0.0.1:{peer.server_port}"

    def setUp(self):
        self.workspace = Workspace(files={"a": "a\n", ".envrc": "mine\n"}, links={"link": "/etc/hostname"})
        self.addCleanup(self.workspace.close)
        tools = os.path.join(self.workspace.state, "tools")
        os.makedirs(tools)
        for name, members in OWN.items():
            shutil.copy(os.path.join(GUESTS, name + ".wasm"), tools)
            with open(os.path.join(tools, name + ".json"), "w") as file:
                json.dump({"name": name, "version": "1", "description": "For tests.", "permission_level": "execute", "input": "argv",
                           "input_schema": {"type": "object", "properties": members}}, file)

    def run_tool(self, tool, input, *options):
        input = {k: v.replace("@", self.at) for k, v in input.items()}
        done = subprocess.run([BINARY, "tool", "run", tool, "--workspace-dir", self.workspace.path, "--json", "--input", json.dumps(input),
                               "--allow-host", self.at, *options], capture_output=True, text=True, timeout=PATIENCE,
                              env=dict(self.workspace.environment(), XDG_CACHE_HOME=self.cache), cwd=self.workspace.folder)
        self.assertTrue(done.stdout, done.stderr)
        return json.loads(done.stdout)

    def described(self):
        done = subprocess.run([BINARY, "tool", "describe", "bash", "--json", "--workspace-dir", self.workspace.path], capture_output=True,
                              text=True, timeout=PATIENCE, env=self.workspace.environment(), cwd=self.workspace.folder)
        return json.loads(done.stdout)

    def test_each_is_named_with_its_setting(self):
        described = self.described()
        for name, (tool, input, limit) in FIRES.items():
            with self.subTest(name):
                result = self.run_tool(tool, input, *(["--limit", limit] if limit else []))
                self.assertEqual(result["limit"], name, result)
                text = json.dumps(result, ensure_ascii=False)
                if limit:
                    self.assertIn(described["limits"][name]["setting"], text)
                    self.assertIn(f"--limit {name}=", text)
                    self.assertIn(f'{{"{name}": "', json.dumps(json.loads(text)["content"]).replace('\\"', '"').replace('\\\\"', '"'))
                else:
                    reach = [setting for setting, it in described["reach"].items() if it["limit"] == name]
                    self.assertIn(result["denied"]["setting"], reach)

    def test_none_is_forgotten(self):
        described = self.described()
        names = set(described["limits"]) | {it["limit"] for it in described["reach"].values()}
        self.assertEqual(names, set(FIRES) | ELSEWHERE)


if __name__ == "__main__":
    unittest.main(verbosity=2)
