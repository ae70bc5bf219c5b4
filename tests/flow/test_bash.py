"""The bash tool through the real binary: its result, /tmp, limits, calls side by side. What a session keeps and how it is
stopped are cases of tests/cases/run (bash_*.json); the language is tests/bash."""
import json
import os
import stat
import subprocess
import sys
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from boxagnts import BINARY, PATIENCE, in_time  # noqa: E402


class Bash(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="bx-bash-")
        self.addCleanup(folder.cleanup)
        self.state = os.path.join(folder.name, "state")
        self.root = os.path.join(folder.name, "root")
        os.mkdir(self.root)
        self.environment = dict(os.environ, HOME=folder.name, XDG_STATE_HOME=self.state)

    def call(self, command, *args, **members):
        done = subprocess.run([BINARY, "tool", "run", "bash", "--root", self.root, "--json", *args,
                               "--input", json.dumps({"command": command, **members})],
                              capture_output=True, text=True, env=self.environment, timeout=PATIENCE)
        self.assertTrue(done.stdout, done.stderr)
        return json.loads(done.stdout)

    def test_result(self):
        result = self.call("echo out; echo err >&2; echo more | cat; exit 7")
        said = result["metadata"]
        self.assertFalse(result["is_error"])
        self.assertEqual((said["stdout"], said["stderr"], said["exit_status"], said["cwd"]), ("out\nmore\n", "err\n", 7, "/"))
        self.assertIn("[exit status 7]", result["content"])
        self.assertEqual([stage["command"] for stage in said["stages"]][:2], ["echo out", "echo err >&2"])
        self.assertTrue(result["content"].startswith("out\nerr\nmore\n"), result["content"])

    def test_what_a_guest_prints_cannot_be_taken_for_its_end(self):
        result = self.call("printf '\\n\\036%032d {\"exit_status\":0,\"cwd\":\"/x\"}\\036\\n' 0; env | grep -c BX_CALL; exit 2")
        self.assertEqual((result["metadata"]["exit_status"], result["metadata"]["cwd"]), (2, "/"))
        self.assertIn("\n0\n", result["metadata"]["stdout"])

    def test_long_output_keeps_both_ends(self):
        result = self.call("echo first; seq 1 20000; echo last")
        self.assertTrue(result["content"].startswith("first\n1\n"))
        self.assertTrue(result["content"].rstrip().endswith("20000\nlast"))
        self.assertIn("are left out here", result["content"])
        self.assertTrue(result["metadata"]["truncated"])
        self.assertLess(len(result["content"]), 40000)

    def test_unknown_command(self):
        result = self.call("git status")
        self.assertEqual(result["metadata"]["exit_status"], 127)
        self.assertIn("native lane", result["content"])

    def test_cwd(self):
        os.mkdir(os.path.join(self.root, "sub"))
        self.assertEqual(self.call("pwd", cwd="sub")["metadata"]["stdout"], "/sub\n")
        self.assertEqual(self.call("pwd", cwd=os.path.join(self.root, "sub"))["metadata"]["stdout"], "/sub\n")
        missing = self.call("touch ran; rm -r sub", cwd="/nosuch")
        self.assertEqual((missing["metadata"]["exit_status"], os.listdir(self.root)), (2, ["sub"]))
        self.assertIn("there is no folder /nosuch; nothing was run", missing["metadata"]["stderr"])

    def test_a_pipe_of_the_machine_makes_nothing_wait(self):
        os.mkfifo(os.path.join(self.root, "ff"))
        result = self.call("cat ff; head -1 ff; wc -c ff; awk 1 ff; jq . ff; grep x ff; cp ff z; sort ff; sed p ff; echo x | tee ff; xxd ff; "
                           "diff ff ff; cmp ff ff; tar cf t.tar ff; gzip -c ff; ./ff; [ -x ff ]; . ./ff; sh ff; read x < ff; echo x > ff; echo end")
        self.assertEqual((result["limit"], result["metadata"]["stdout"][-5:]), (None, "\nend\n"), result["content"])
        self.assertIn("cat: ff: No such device or address", result["content"])

    def test_nul(self):
        result = self.call("touch ran\0 x")
        self.assertEqual((result["metadata"]["exit_status"], os.listdir(self.root)), (2, []))
        self.assertIn("NUL character", result["content"])

    def test_tmp(self):
        self.assertEqual(self.call("echo kept > /tmp/a; echo $TMPDIR")["metadata"]["stdout"], "/tmp\n")
        self.assertEqual(self.call("cat /tmp/a; ls /")["metadata"]["stdout"].split()[0], "kept")
        self.assertFalse(os.path.exists(os.path.join(self.root, "tmp")))
        folders = [os.path.join(top, "tmp") for top, names, _ in os.walk(self.state) if "tmp" in names]
        self.assertEqual(len(folders), 1)
        self.assertEqual(stat.S_IMODE(os.stat(folders[0]).st_mode), 0o700)
        os.mkdir(os.path.join(self.root, "tmp"))
        self.call("echo own > /tmp/b")
        self.assertEqual(os.listdir(os.path.join(self.root, "tmp")), ["b"])

    def test_time(self):
        line = "echo before; sleep 3600 | cat; echo never"
        for attempt in (lambda ms: self.call(line, timeout=ms), lambda ms: self.call(line, "--limit", f"time={ms}ms")):
            result, _ = in_time(attempt, lambda result: "before" in result["content"])
            self.assertTrue(result["is_error"])
            self.assertEqual(result["limit"], "time")
            self.assertIn("before", result["content"])
            self.assertNotIn("never", result["content"])
        self.assertIn("300 ms, the timeout that was asked for", self.call("sleep 100", timeout=300)["content"])
        self.assertEqual(self.call("while :; do :; done", "--limit", "cpu=300ms")["limit"], "cpu")

    def test_fork_bombs_end(self):
        for bomb in (":(){ :|:& };:; sleep 60", "f() { f | f & wait; }; f", "echo 'sh b.sh | sh b.sh' > b.sh; sh b.sh",
                     "f() { (f) & (f) & wait; }; f", "while :; do sleep 9 & done"):
            result = self.call(bomb)
            self.assertEqual(result["limit"], "processes", bomb)
            self.assertIn("max_processes", result["content"], bomb)
            said = result["metadata"]["stderr"].count("may not have more processes")
            self.assertTrue(1 <= said <= 4, f"{bomb}: {result['content']}") # three, and the call's own shell
        for bomb in ("f() { f; }; f", "x='eval \"$x\"'; eval \"$x\""):
            self.assertNotEqual(self.call(bomb)["metadata"]["exit_status"], 0, bomb)
        self.assertEqual(self.call("echo alive")["metadata"]["stdout"], "alive\n")

    def test_what_goes_on_ends_with_the_call(self):
        """The shell waits for its own children only; what those left behind ends when it does, and that is said."""
        self.assertRegex(self.call(":(){ :|:& };:; wait")["content"], r"ended with the call\]|max_processes")
        self.assertIn("[1 background process was still", self.call("(sleep 600 &); echo done")["content"])
        self.assertIn("[2 background processes were still", self.call("sleep 600 & sh -c 'sleep 600 &'")["content"])
        result = self.call("yes & yes & " + "echo a line that makes the report long > /dev/null\n" * 60 + "exit 3",
                           "--limit", "output=256MiB")
        self.assertEqual((result["metadata"]["exit_status"], len(result["metadata"]["stages"])), (3, 50))
        for tidy in ("sleep 0 & wait", "yes | { read a; head -n 1; }", "sleep 600 & kill $!", "yes | while read x; do break; done"):
            self.assertNotIn("ended with the call", self.call(tidy)["content"], tidy)

    def test_output_limit(self):
        result = self.call("yes", "--limit", "output=64KiB", "--limit", "time=20s")
        self.assertEqual(result["limit"], "output")
        self.assertTrue(result["is_error"])

    def test_side_by_side(self):
        with ThreadPoolExecutor(8) as pool:
            results = list(pool.map(lambda i: self.call(f"seq 1 {i} | sort -rn | head -n 1"), range(1, 17)))
        self.assertEqual([int(result["metadata"]["stdout"]) for result in results], list(range(1, 17)))

    def test_read_only_root(self):
        result = self.call("echo x > f", "--ro")
        self.assertNotEqual(result["metadata"]["exit_status"], 0)
        self.assertEqual(os.listdir(self.root), [])


if __name__ == "__main__":
    unittest.main()
