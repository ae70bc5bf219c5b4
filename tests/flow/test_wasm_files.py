"""`tool run FILE.wasm`: programs from anywhere, described, described beside, or not at all."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest

BINARY, GENERATED = os.environ["BOXAGNTS"], os.environ["BX_GENERATED"]


def module(body):
    """The smallest command module: a memory, and _start with this body (WebAssembly 1.0 §5)."""
    code = bytes([0]) + body + bytes([0x0B])
    return (b"\0asm\1\0\0\0" + bytes([1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 5, 3, 1, 0, 1, 7, 0x13, 2, 6]) + b"memory" +
            bytes([2, 0, 6]) + b"_start" + bytes([0, 0, 10, len(code) + 2, 1, len(code)]) + code)


RETURNS, LOOPS, TRAPS = module(b""), module(bytes([3, 0x40, 0x0C, 0, 0x0B])), module(bytes([0]))


class WasmFiles(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="bx-wasm-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.root = os.path.join(self.folder, "root")
        os.mkdir(self.root)
        self.environment = dict(os.environ, HOME=self.folder, XDG_STATE_HOME=self.folder + "/state", XDG_CACHE_HOME=self.folder + "/cache")

    def put(self, name, content):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def run_tool(self, path, *options, value="{}"):
        return subprocess.run([BINARY, "tool", "run", path, "--root", self.root, "--input", value, "--json", *options],
                              capture_output=True, text=True, env=self.environment, timeout=120)

    def test_a_program_that_does_not_describe_itself_runs(self):
        result = json.loads(self.run_tool(self.put("quiet.wasm", RETURNS)).stdout)
        self.assertFalse(result["is_error"], result)
        self.assertIsNone(result["limit"])

    def test_its_limits_are_named(self):
        path = self.put("loop.wasm", LOOPS)
        done = self.run_tool(path, "--limit", "time=300ms", "--limit", "fuel=0")
        self.assertEqual(json.loads(done.stdout)["limit"], "time", done.stdout)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(json.loads(self.run_tool(path, "--limit", "fuel=1M").stdout)["limit"], "fuel")

    def test_a_trap_is_a_result_in_words(self):
        result = json.loads(self.run_tool(self.put("trap.wasm", TRAPS)).stdout)
        self.assertTrue(result["is_error"])
        self.assertIn("unreachable", result["content"])

    def test_a_program_with_a_description_of_its_own(self):
        path = os.path.join(self.folder, "copy.wasm")
        shutil.copy(os.path.join(GENERATED, "guests", "read.wasm"), path)
        with open(os.path.join(self.root, "a.txt"), "w") as file:
            file.write("seven\n")
        result = json.loads(self.run_tool(path, value='{"file_path":"a.txt"}').stdout)
        self.assertIn("seven", result["content"])
        refused = json.loads(self.run_tool(path, value='{"file":"a.txt"}').stdout)
        self.assertTrue(refused["is_error"])
        self.assertIn("file_path", refused["content"])

    def test_a_broken_description_beside_it_is_an_error(self):
        path = self.put("quiet.wasm", RETURNS)
        self.put("quiet.json", b'{"description": 3}')
        done = self.run_tool(path)
        self.assertEqual(done.returncode, 1)
        self.assertIn("description", done.stderr)

    def test_what_is_no_program_is_refused(self):
        for content in (b"", b"not wasm", b"\0asm\1\0\0\0\xff", RETURNS[:-3]):
            done = self.run_tool(self.put("broken.wasm", content))
            self.assertEqual(done.returncode, 1, content)
            self.assertIn("broken.wasm", done.stderr)
            self.assertNotIn("panicked", done.stderr)


if __name__ == "__main__":
    unittest.main()
