#!/usr/bin/env python3
"""docs/tool-reference.md says what the tools of this binary say of themselves, and each tool of the sandbox has an example."""
import json
import os
import subprocess
import sys
import unittest

BINARY = os.environ["BOXAGNTS"]
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


class Documents(unittest.TestCase):
    def test_tools(self):
        done = subprocess.run([sys.executable, os.path.join(ROOT, "scripts", "tools_doc.py"), BINARY, "--check"],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_every_tool_has_an_example(self):
        tools = json.loads(subprocess.run([BINARY, "tool", "list", "--json"], capture_output=True, text=True).stdout)
        for tool in tools:
            said = subprocess.run([BINARY, "tool", "describe", tool["name"], "--json"], capture_output=True, text=True).stdout
            self.assertIn("example", json.loads(said), f"{tool['name']} has no example in its description")


if __name__ == "__main__":
    unittest.main()
