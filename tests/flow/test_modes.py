"""A file that a tool replaces keeps its permission bits, which WebAssembly cannot see (src/tools/mode.h)."""
import json
import os
import stat
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from boxagnts import BINARY, PATIENCE  # noqa: E402


class Modes(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="bx-modes-")
        self.root = os.path.join(self.folder.name, "root")
        os.mkdir(self.root)
        self.environment = dict(os.environ, HOME=self.folder.name, XDG_STATE_HOME=os.path.join(self.folder.name, "state"))
        self.addCleanup(self.folder.cleanup)

    def put(self, name, text, mode):
        path = os.path.join(self.root, name)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def call(self, tool, **members):
        done = subprocess.run([BINARY, "tool", "run", tool, "--root", self.root, "--input", json.dumps(members), "--json"],
                              capture_output=True, text=True, env=self.environment, timeout=PATIENCE)
        result = json.loads(done.stdout)
        self.assertFalse(result["is_error"], result)

    def mode(self, path):
        return stat.S_IMODE(os.stat(path).st_mode)

    def test_edit_keeps_an_executable_executable(self):
        path = self.put("run.sh", "#!/bin/sh\necho a\n", 0o751)
        self.call("edit", file_path="run.sh", old_string="echo a", new_string="echo b")
        self.assertEqual(self.mode(path), 0o751)
        self.assertIn("echo b", open(path).read())

    def test_write_keeps_a_private_file_private(self):
        path = self.put("secret.txt", "old\n", 0o600)
        self.call("write", file_path="secret.txt", content="new\n")
        self.assertEqual(self.mode(path), 0o600)

    def test_the_file_behind_a_link_keeps_its_bits(self):
        path = self.put("real.sh", "echo a\n", 0o700)
        os.symlink("real.sh", os.path.join(self.root, "link.sh"))
        self.call("edit", file_path="link.sh", old_string="echo a", new_string="echo b")
        self.assertEqual(self.mode(path), 0o700)

    def test_set_id_bits_do_not_come_back(self):
        path = self.put("tool", "x\n", 0o4755)
        self.call("write", file_path="tool", content="y\n")
        self.assertEqual(self.mode(path), 0o755)


if __name__ == "__main__":
    unittest.main()
