#!/usr/bin/env python3
"""Secrets by the command line: how they come in, who uses them, and every place where they must not be."""
import json
import os
import pty
import select
import signal
import stat
import subprocess
import sys
import termios
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from boxagnts import BINARY, PATIENCE, Server, Workspace  # noqa: E402

KEY = "sk-test-0123456789-abcdefghij"
OTHER = "hush-hush-9876543210"


def all_files(folder):
    for top, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(top, name)
            if os.path.isfile(path) and not os.path.islink(path):
                yield path


class Case(unittest.TestCase):
    def setUp(self):
        self.w = Workspace()
        self.addCleanup(self.w.close)
        self.auth = os.path.join(self.w.state, "auth.json")

    def secret(self, *args, value=None, code=0, env=None):
        done = subprocess.run([BINARY, "secret", *args, "--workspace-dir", self.w.path], input=value,
                              stdin=None if value is not None else subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=PATIENCE, env={**self.w.environment(), **(env or {})}, cwd=self.w.folder)
        self.assertEqual(done.returncode, code, done)
        for said in (KEY, OTHER):
            self.assertNotIn(said, done.stdout + done.stderr)
        return done.stdout if code == 0 else done.stderr

    def stored(self):
        with open(self.auth) as file:
            return json.load(file)

    def assert_nowhere(self, value, *allowed):
        for path in all_files(self.w.folder):
            if path not in allowed:
                with open(path, "rb") as file:
                    self.assertNotIn(value.encode(), file.read(), path)


class Commands(Case):
    def test_set_list_remove(self):
        self.assertIn("no secrets", self.secret("list"))
        self.assertEqual(self.secret("set", "openai", value=KEY + "\n"), "the key of openai is set\n")
        self.assertIn("${secret:weather}", self.secret("set", "weather", value=OTHER))
        self.assertEqual(stat.S_IMODE(os.stat(self.auth).st_mode), 0o600)
        self.assertEqual(self.stored(), {"provider.openai": KEY, "weather": OTHER})
        self.assert_nowhere(KEY, self.auth)
        self.assertEqual(json.loads(self.secret("list", "--json")),
                         [{"name": "openai", "of": "provider", "environment": None},
                          {"name": "weather", "of": "tools", "environment": None}])
        listed = self.secret("list", env={"MISTRAL_API_KEY": OTHER})
        for line in ("openai               key of a provider\n", "weather              for tools and MCP servers\n",
                     "mistral              key of a provider, from the environment: MISTRAL_API_KEY\n"):
            self.assertIn(line, listed)
        self.assertEqual(self.secret("remove", "weather"), "weather is forgotten\n")
        self.assertIn('no secret "weather"', self.secret("remove", "weather", code=1))
        self.assertEqual(self.stored(), {"provider.openai": KEY})

    def test_names(self):
        for name in ("mistral", "provider.mistral", "MISTRAL_API_KEY"):
            self.secret("set", name, value=KEY + name)
            self.assertEqual(self.stored(), {"provider.mistral": KEY + name})
        for name, words in (("api_token", "kept by boxagnts itself"), ("mcp.search", "mcp login"), ("a b", "1 to 64 letters"),
                            ("x" * 65, "1 to 64 letters"), ("provider.nobody", 'no provider "nobody"')):
            self.assertIn(words, self.secret("set", name, value=KEY, code=1))
        self.assertEqual(list(self.stored()), ["provider.mistral"])

    def test_values(self):
        for name, value, words in (("openai", "", "no value came"), ("openai", " \n", "no value came"), ("w", None, "no value came"),
                                   ("openai", "two words", "no spaces"), ("openai", KEY + "\n" + KEY, "no spaces"),
                                   ("w", OTHER + "\n" + OTHER, "one line"), ("w", OTHER + "\0", "one line"), ("w", "x" * 70000, "at most")):
            self.assertIn(words, self.secret("set", name, value=value, code=1))
        self.assertFalse(os.path.exists(self.auth))
        done = subprocess.run([BINARY, "secret", "set", "openai", KEY], capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("a value is no argument", done.stderr)
        self.assertNotIn(KEY, done.stderr)

    def test_a_file_that_is_open_or_broken(self):
        self.secret("set", "openai", value=KEY)
        os.chmod(self.auth, 0o644)
        report = subprocess.run([BINARY, "doctor", "--workspace-dir", self.w.path], capture_output=True, text=True, timeout=PATIENCE,
                                env=self.w.environment(), check=False)
        self.assertIn("auth.json can be read by others: chmod 600 it", report.stdout)
        done = subprocess.run([BINARY, "secret", "list", "--workspace-dir", self.w.path], capture_output=True, text=True,
                              timeout=PATIENCE, env=self.w.environment(), check=True)
        self.assertIn("could be read by others of this machine until now", done.stderr)
        self.assertEqual(stat.S_IMODE(os.stat(self.auth).st_mode), 0o600)
        with open(self.auth, "w") as file:
            file.write('{"provider.openai": "' + KEY)
        for args in (("list",), ("set", "openai"), ("remove", "openai")):
            self.assertIn("mend it or move it away" if args[0] != "remove" else "", self.secret(*args, value=OTHER, code=1))
        with open(self.auth) as file:
            self.assertEqual(file.read(), '{"provider.openai": "' + KEY)  # nothing of it is thrown away

    def typed(self, keys):
        """What the terminal showed, the exit code, and whether it echoes again."""
        pid, fd = pty.fork()
        if pid == 0:
            os.execve(BINARY, [BINARY, "secret", "set", "openai", "--workspace-dir", self.w.path], self.w.environment())
        shown, give_up = b"", time.monotonic() + PATIENCE
        while b"not shown" not in shown:
            self.assertTrue(select.select([fd], [], [], max(0, give_up - time.monotonic()))[0])
            shown += os.read(fd, 4096)
        os.write(fd, keys)
        while True:
            try:
                self.assertTrue(select.select([fd], [], [], max(0, give_up - time.monotonic()))[0])
                piece = os.read(fd, 4096)
            except OSError:
                break
            if not piece:
                break
            shown += piece
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os.close(fd)
        return shown.decode(), code

    def test_typed_unseen(self):
        shown, code = self.typed(KEY.encode() + b"\r")
        self.assertEqual(code, 0, shown)
        self.assertNotIn(KEY, shown)
        self.assertEqual(self.stored(), {"provider.openai": KEY})
        shown, code = self.typed(OTHER.encode() + b"\x03")
        self.assertEqual(code, 130, shown)
        self.assertIn("nothing was changed", shown)
        self.assertNotIn(OTHER, shown)
        self.assertEqual(self.stored(), {"provider.openai": KEY})

    def test_the_terminal_is_put_back(self):
        main, terminal = pty.openpty()
        before = termios.tcgetattr(terminal)
        process = subprocess.Popen([BINARY, "secret", "set", "openai", "--workspace-dir", self.w.path], stdin=terminal,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.w.environment())
        self.assertIn(b"not shown", process.stderr.read(len("value of openai (it is not shown): ")))
        self.assertFalse(termios.tcgetattr(terminal)[3] & termios.ECHO)
        os.write(main, b"\x03")
        process.communicate(timeout=PATIENCE)
        self.assertEqual(termios.tcgetattr(terminal), before)
        os.close(main)
        os.close(terminal)

    def test_no_tool_reads_them(self):
        self.secret("set", "openai", value=KEY)
        os.symlink(self.auth, os.path.join(self.w.root, "link"))
        os.symlink("../.boxagnts", os.path.join(self.w.root, "state"))
        for tool, given in (("read", {"file_path": "../.boxagnts/auth.json"}), ("read", {"file_path": self.auth}),
                            ("read", {"file_path": "link"}), ("read", {"file_path": "state/auth.json"}),
                            ("grep", {"pattern": "sk-", "path": "..", "output_mode": "content"}),
                            ("bash", {"command": f"cat link state/auth.json ../.boxagnts/auth.json {self.auth}; grep -r sk- / ; "
                                      "cp link copy; ln link hard"}),
                            ("jsexec", {"code": f"require('fs').readFileSync({json.dumps(self.auth)}, 'utf8')"})):
            done = subprocess.run([BINARY, "tool", "run", tool, "--workspace-dir", self.w.path, "--json", "--input", json.dumps(given)],
                                  capture_output=True, text=True, timeout=PATIENCE, env=self.w.environment(), check=False)
            self.assertTrue(json.loads(done.stdout)["content"], tool)
            self.assertNotIn(KEY, done.stdout + done.stderr, tool)
        self.assert_nowhere(KEY, self.auth)


class Beside(Case):
    """A server runs; the model wants a key, and tells it to whoever listens."""

    def test_a_running_server_uses_it_and_tells_nobody(self):
        self.w.start_model({"turns": [
            {"tries": [{"status": 401, "error": "who are you?"}, {"status": 401, "error": f"the key {KEY} is not known to us"},
                       {"text": f"You sent me {KEY}, did you know?", "calls": [{"tool": "glob", "input": {"pattern": "*"}}]}]},
            {"delay_ms": 300, "text": "Done."}]})
        path = os.path.join(self.w.state, "settings.json")
        with open(path) as file:
            settings = json.load(file)
        settings["providers"]["scripted"]["key_env"] = "BX_NO_SUCH_KEY"
        with open(path, "w") as file:
            json.dump(settings, file)
        server = Server(self.w)
        self.addCleanup(lambda: server.process.poll() is None and server.end(signal.SIGKILL))
        session = server.call("POST", "/sessions", {"model": "scripted/m"})[1]["id"]

        def ask(end):
            ended = len([e for e in self.w.events(session) if e["type"] == "run_end"])
            self.assertEqual(server.call("POST", f"/sessions/{session}/messages", {"text": "hello"})[0], 202)
            return self.w.wait_for(session, {"type": "run_end", **end}, ended + 1)

        ask({"reason": "error"})
        self.assertIn("wants a key: boxagnts secret set scripted", json.dumps(self.w.events(session)))
        self.assertEqual(self.secret("set", "scripted", value=KEY), "the key of scripted is set\n")
        models = server.call("GET", "/models")[1]
        self.assertEqual([p["has_key"] for p in models["providers"] if p["id"] == "scripted"], [True])
        ask({})
        error = [e for e in self.w.events(session) if e["type"] == "error"][-1]
        self.assertNotIn(KEY, json.dumps(self.w.events(session)), error)
        self.assertIn("is not known to us", json.dumps(error))
        self.assertEqual(server.call("POST", f"/sessions/{session}/messages", {"text": "again"})[0], 202)
        self.w.wait_for(session, {"type": "tool_result"})
        self.assert_no_process_shows(KEY)
        self.w.wait_for(session, {"type": "assistant", "text": "Done."})
        self.assertEqual({r["authorization"] for r in self.w.model.requests()[1:]}, {"Bearer " + KEY})
        for kind in ("json", "html"):
            text = self.export(server, session, kind)
            self.assertIn("You sent me [secret], did you know?", text)
            self.assertNotIn(KEY, text)
        self.assertNotIn(KEY, json.dumps(server.call("GET", "/settings")) + json.dumps(server.call("GET", "/models")))
        self.secret("remove", "scripted")
        self.assertNotIn("provider.scripted", self.stored())
        self.assertIn("api_token", self.stored())  # what the server keeps there is still there

    def export(self, server, session, kind):
        done = subprocess.run([BINARY, "session", "export", session, "--format", kind, "--workspace-dir", self.w.path],
                              capture_output=True, text=True, timeout=PATIENCE, env=self.w.environment(), check=True)
        return done.stdout

    def assert_no_process_shows(self, value):
        seen = 0
        for pid in filter(str.isdigit, os.listdir("/proc")):
            for name in ("cmdline", "environ"):
                try:
                    with open(f"/proc/{pid}/{name}", "rb") as file:
                        self.assertNotIn(value.encode(), file.read(), f"{pid} {name}")
                        seen += 1
                except OSError:
                    continue  # it has ended, or it is not ours
        self.assertGreater(seen, 2)


if __name__ == "__main__":
    unittest.main()
