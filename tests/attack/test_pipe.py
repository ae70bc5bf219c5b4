#!/usr/bin/env python3
"""A named pipe of the machine in the root: a program of somebody's that waits at it waits for its limit of time and no longer,
the limit is named, and the worker goes on. In a process of its own and beside other calls of a server."""
import concurrent.futures
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "flow"))
from boxagnts import BINARY, PATIENCE, Server, Workspace  # noqa: E402

GUESTS = subprocess.run([os.path.join(HERE, "build_guests.sh")], check=True, capture_output=True, text=True).stdout.strip()
DESCRIPTOR = {"name": "pipe", "version": "1", "description": "Waits at a pipe.", "permission_level": "execute",
              "input_schema": {"type": "object", "properties": {"do": {"type": "string"}}}}
WAYS = ("read", "both", "write")


class Pipe(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cache = tempfile.TemporaryDirectory(prefix="bx-pipe-")  # the guest is compiled once
        cls.addClassCleanup(cache.cleanup)
        cls.cache = cache.name

    def setUp(self):
        self.w = Workspace(files={"a.txt": "alpha\n"})
        self.addCleanup(self.w.close)
        environment = self.w.environment
        self.w.environment = lambda: dict(environment(), XDG_CACHE_HOME=self.cache)
        for way in WAYS:  # one each: a reader and a writer of the same would find each other
            os.mkfifo(os.path.join(self.w.root, way))
        folder = os.path.join(self.w.state, "tools")
        os.makedirs(folder)
        shutil.copy(os.path.join(GUESTS, "pipe.wasm"), folder)
        with open(os.path.join(folder, "pipe.json"), "w") as file:
            json.dump(DESCRIPTOR, file)

    def assert_ended(self, result, way):
        if way == "both": # opening waits for nobody, and reading from a place in a pipe is refused
            self.assertEqual((result["content"], result["limit"]), ("read: -1\n", None), result)
            return
        self.assertEqual((result["is_error"], result["limit"]), (True, "time"), (way, result))
        self.assertIn("time", result["content"])
        self.assertNotIn("by force", result["content"])  # the waiting call was ended, not the worker

    def test_alone(self):
        for way in WAYS:
            done = subprocess.run([BINARY, "tool", "run", "pipe", "--json", "--limit", "time=200ms", "--input", json.dumps({"do": way}),
                                   "--workspace-dir", self.w.path], capture_output=True, text=True, timeout=PATIENCE,
                                  env=self.w.environment(), cwd=self.w.folder, check=False)
            self.assertTrue(done.stdout, done.stderr)
            self.assert_ended(json.loads(done.stdout), way)

    def test_beside_other_calls_of_a_server(self):
        with open(os.path.join(self.w.state, "settings.json"), "w") as file:
            json.dump({"limits": {"pipe": {"time": "200ms"}}}, file)
        server = Server(self.w)
        try:
            def call(tool, given):
                status, result = server.call("POST", f"/tools/{tool}/run", {"input": given})
                self.assertEqual(status, 200, result)
                return result

            give_up = time.monotonic() + PATIENCE
            while "pipe" not in [tool["name"] for tool in server.call("GET", "/tools")[1]["tools"]]: # read beside the start
                self.assertLess(time.monotonic(), give_up, "the tool does not come")
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                waiting = [(way, pool.submit(call, "pipe", {"do": way})) for way in WAYS * 3]
                reads = [pool.submit(call, "read", {"file_path": "a.txt"}) for _ in range(6)]
                for read in reads:
                    self.assertIn("alpha", read.result()["content"])
                for way, future in waiting:
                    self.assert_ended(future.result(), way)
            self.assertIn("alpha", call("read", {"file_path": "a.txt"})["content"])
        finally:
            self.assertEqual(server.end(), 0)


if __name__ == "__main__":
    unittest.main()
