#!/usr/bin/env python3
"""The command line of the real binary: what it accepts, what it refuses and how, which folders it uses, who may be beside whom."""
import json
import os
import pty
import re
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
import unittest
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from boxagnts import BINARY, PATIENCE, Workspace  # noqa: E402

HEADER = ('{"v":1,"id":"%s","created_at":"2026-11-23T21:31:05.123Z","title":"","model":"p/m","mode":"default","root":"/r",'
          '"kind":"chat"}\n')
EVENTS = ('{"seq":1,"t":"2026-11-23T21:31:06.000Z","type":"user","run":"r","text":"What is in note.txt?"}\n'
          '{"seq":2,"t":"2026-11-23T21:31:07.000Z","type":"assistant","run":"r","turn":1,"text":"I look.",'
          '"calls":[{"id":"c","tool":"read","input":{"file_path":"note.txt"}}],"finish":"tool_calls"}\n'
          '{"seq":3,"t":"2026-11-23T21:31:08.000Z","type":"tool_result","run":"r","turn":1,"call":"c","tool":"read",'
          '"content":"hello","is_error":false,"limit":null,"ms":1}\n')


class Case(unittest.TestCase):
    def setUp(self):
        self.w = Workspace(files={"note.txt": "hello\n"})
        self.addCleanup(self.w.close)

    def call(self, *args, stdin=None, env=None, cwd=None):
        done = subprocess.run([BINARY, *args], input=stdin, stdin=None if stdin is not None else subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=PATIENCE, env={**self.w.environment(), **(env or {})},
                              cwd=cwd or self.w.folder)
        return done.returncode, done.stdout, done.stderr

    def here(self, *args, **more):
        """With our workspace."""
        return self.call(*args, "--workspace-dir", self.w.path, **more)

    def refused(self, code, words, *args, **more):
        """One clear line on standard error, nothing on standard output, the exit code."""
        got, out, err = self.call(*args, **more)
        self.assertEqual((got, out), (code, ""), (args, err))
        self.assertRegex(err, r"\Aboxagnts: [^\n]+\n\Z", args)
        for word in words if isinstance(words, (list, tuple)) else [words]:
            self.assertIn(word, err, args)
        return err

    def write_session(self, name, text):
        folder = os.path.join(self.w.state, "sessions")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, name + ".jsonl"), "w") as file:
            file.write(text)


class Words(Case):
    def test_wrong_usage(self):
        for words, args in [
            ("did you mean --port", ["--prt", "3"]),
            ("did you mean --workspace-dir", ["--workspace-dri=x"]),
            ('did you mean "serve"', ["srve"]),
            ("tool list, tool describe, tool run", ["tool"]),
            ("tool list, tool describe, tool run", ["tool", "rum"]),
            ("takes no --port", ["tool", "list", "--port", "3"]),
            ("--session needs a value", ["run", "--session"]),
            ("takes no value", ["serve", "--open=1"]),
            ("two dashes", ["run", "-m"]),
            ("one word too many", [self.w.folder, "extra"]),
            ("usage: boxagnts tool run NAME", ["tool", "run"]),
            ("from 0 to 65535", ["serve", "--port", "99999"]),
            ("from 0 to 65535", ["serve", "--port", "80x"]),
            ("plan, default, accept-edits, auto or bypass", ["run", "--mode", "foo", "hi"]),
            ("not \"wirte\"", ["run", "--yes", "wirte", "hi"]),
            ("from 1 to", ["run", "--max-turns", "0", "hi"]),
            ("prompt is empty", ["run", ""]),
            ("prompt is empty", ["run"]),
            ("bash, zsh and fish", ["completion", "tcsh"]),
            ("line 1", ["tool", "run", "read", "--input", "{"]),
            ("time", ["tool", "run", "read", "--limit", "time=soon"]),
            ("nonsense", ["tool", "run", "read", "--limit", "nonsense=1"]),
        ]:
            with self.subTest(args=args):
                self.refused(2, words, *args)
        self.assertFalse(os.path.exists(os.path.join(self.w.folder, "XDG_STATE_HOME")))  # nothing was done

    def test_help_and_version(self):
        code, out, err = self.call("--help")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("Exit codes: 0", out)
        commands = re.findall(r"^  ([a-z]+(?: [a-z]+)?) ", out.split("Commands:")[1], re.M)
        self.assertGreater(len(commands), 15)
        for command in commands:
            code, out, err = self.call(*command.split(), "--help")
            self.assertEqual((code, err), (0, ""), command)
            self.assertTrue(out.startswith(f"boxagnts {command} "), out)
        for group in sorted({c.split()[0] for c in commands if " " in c}):
            own = [c for c in commands if c.startswith(group + " ")]
            code, out, err = self.call(group, "--help")
            self.assertEqual((code, err), (0, ""), group)
            if group not in commands:
                self.assertEqual(re.findall(r"^  ([a-z]+ [a-z]+) ", out, re.M), own)
        for args in (["--version"], ["version"]):
            self.assertRegex(self.call(*args)[1], r"\Aboxagnts \d+\.\d+\.\d+\n\Z")
        code, out, _ = self.call("licences")
        self.assertEqual(code, 0)
        self.assertIn("MIT", out)

    @unittest.skipUnless(shutil.which("bash"), "no bash")
    def test_completion(self):
        script = self.call("completion", "bash")[1]
        def complete(*words):
            line = " ".join(f"'{w}'" for w in words)
            shell = f"{script}\nCOMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _boxagnts; echo \"${{COMPREPLY[@]}}\""
            return subprocess.run(["bash", "-c", shell], capture_output=True, text=True, cwd=self.w.folder).stdout.split()
        self.assertEqual(complete("boxagnts", "ses"), ["session"])
        self.assertEqual(complete("boxagnts", "tool", "d"), ["describe"])
        self.assertEqual(complete("boxagnts", "run", "--max-tu"), ["--max-turns"])
        self.assertEqual(complete("boxagnts", "tool", "run", "w"), ["ws"])  # a file
        for shell in ("zsh", "fish"):
            self.assertIn("workspace-dir", self.call("completion", shell)[1])


class Folders(Case):
    def test_workspace_layout(self):
        new = os.path.join(self.w.folder, "new", "place")
        code, out, err = self.call("tool", "list", "--workspace-dir", new)
        self.assertEqual((code, err), (0, ""))
        self.assertIn("newest first: *.c in one folder", out)
        self.assertEqual(sorted(os.listdir(new)), [".boxagnts", "root"])
        self.assertEqual(stat.S_IMODE(os.stat(os.path.join(new, ".boxagnts")).st_mode) & 0o077, 0)

    def test_project_stays_clean(self):
        project = os.path.join(self.w.folder, "project")
        os.mkdir(project)
        for args in (["config", "set", "model", "tour", "--root", project], ["tool", "list", "--root", project]):
            self.assertEqual(self.call(*args)[0], 0)
        self.assertEqual(os.listdir(project), [])
        code, out, _ = self.call("config", "path", cwd=project)
        state = os.path.dirname(out.strip())
        self.assertEqual(os.path.dirname(state), os.path.join(os.path.realpath(self.w.folder), "XDG_STATE_HOME/boxagnts/projects"))
        self.assertRegex(os.path.basename(state), r"\Aproject-[0-9a-f]{8}\Z")
        self.assertEqual(self.call("config", "get", "model", cwd=project)[1], "tour\n")

    def test_state_out_of_reach(self):
        state = self.w.state
        link = os.path.join(self.w.folder, "link")
        os.symlink(self.w.path, link)
        for args in (["--workspace-dir", self.w.path, "--root", self.w.path],
                     ["--workspace-dir", self.w.path, "--root", link],
                     ["--workspace-dir", link, "--root", self.w.path],
                     ["--workspace-dir", self.w.path, "--root", "/"],
                     ["--workspace-dir", self.w.path, "--root", state],
                     ["--workspace-dir", self.w.path, "--mount", f"{self.w.path}:/m"],
                     ["--workspace-dir", self.w.path, "--mount", f"{state}:/m:ro"],
                     ["--root", self.w.folder]):
            with self.subTest(args=args):
                self.refused(1, "tools must not see", "tool", "run", "glob", "--input", '{"pattern":"*"}', *args)
        home = os.path.join(self.w.folder, "home")  # the state's own way leads through a link into the project
        os.makedirs(os.path.join(self.w.root, "inside"))
        os.symlink(os.path.join(self.w.root, "inside"), home)
        self.refused(1, "tools must not see", "tool", "list", "--root", self.w.root, env={"XDG_STATE_HOME": home})

    def test_bad_folders(self):
        self.refused(1, "/nonexistent", "/nonexistent")
        self.refused(1, "/nonexistent", "tool", "list", "--root", "/nonexistent")
        self.refused(1, "not a folder", "tool", "list", "--root", os.path.join(self.w.root, "note.txt"))
        self.refused(1, "not both", "serve", self.w.folder, "--workspace-dir", self.w.path)
        for mount in ("x", "/a", ":/b", "/tmp:relative", "/tmp:/m:wr", "/nonexistent:/m", "/tmp:/"):
            with self.subTest(mount=mount):
                self.refused(1, "--mount", "tool", "list", "--workspace-dir", self.w.path, "--mount", mount)

    @unittest.skipIf(os.geteuid() == 0, "root may read everything")
    def test_unreadable(self):
        os.chmod(self.w.root, 0)
        self.addCleanup(os.chmod, self.w.root, 0o700)
        self.refused(1, "cannot be read", "tool", "list", "--workspace-dir", self.w.path)


class Tools(Case):
    def run_tool(self, name, value, *more, **options):
        return self.here("tool", "run", name, "--input", value if isinstance(value, str) else json.dumps(value), *more, **options)

    def test_text_and_json(self):
        code, out, err = self.run_tool("read", {"file_path": "note.txt"})
        self.assertEqual((code, err), (0, ""))
        self.assertIn("hello", out)
        code, out, err = self.run_tool("read", {"file_path": "note.txt"}, "--json")
        result = json.loads(out)
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(sorted(result), ["content", "is_error", "limit", "metadata", "receipt"])
        self.assertEqual((result["is_error"], result["limit"]), (False, None))
        receipts = os.path.join(self.w.state, "receipts")
        kept = ""
        for name in os.listdir(receipts):
            with open(os.path.join(receipts, name)) as file:
                kept += file.read()
        self.assertIn(result["receipt"]["id"], kept)
        self.assertNotIn("hello", kept)  # digests, never content
        code, out, err = self.run_tool("read", "-", stdin='{"file_path":"note.txt"}')
        self.assertEqual((code, err), (0, ""))
        self.assertIn("hello", out)

    def test_errors(self):
        code, out, err = self.run_tool("read", {"file_path": "missing.txt"})
        self.assertEqual((code, out), (1, ""))
        self.assertIn("missing.txt", err)
        code, out, err = self.run_tool("read", {"file_path": "missing.txt"}, "--json")
        self.assertEqual((code, err), (1, ""))
        self.assertTrue(json.loads(out)["is_error"])
        code, out, err = self.run_tool("read", {"path_of_file": "note.txt"})
        self.assertEqual(code, 1)
        self.assertIn("file_path", err)
        self.refused(1, 'did you mean "read"', "tool", "run", "raed", "--workspace-dir", self.w.path)
        self.refused(1, "nothere.wasm", "tool", "run", "nothere.wasm", "--workspace-dir", self.w.path)
        bad = os.path.join(self.w.folder, "bad.wasm")
        with open(bad, "w") as file:
            file.write("this is not WebAssembly")
        self.refused(1, "bad.wasm", "tool", "run", bad, "--workspace-dir", self.w.path)

    def test_outside(self):
        for path in ("../../etc/passwd", "../.boxagnts/auth.json", "/../../etc/passwd"):
            code, out, _ = self.run_tool("read", {"file_path": path})
            self.assertEqual((code, out), (1, ""), path)

    def test_read_only(self):
        write = {"file_path": "new.txt", "content": "x"}
        code, _, err = self.run_tool("write", write, "--ro")
        self.assertEqual(code, 1)
        self.assertIn("cannot be written", err)
        self.assertFalse(os.path.exists(os.path.join(self.w.root, "new.txt")))
        self.assertEqual(self.run_tool("write", write)[0], 0)
        self.assertTrue(os.path.exists(os.path.join(self.w.root, "new.txt")))

    def test_mounts(self):
        data = os.path.join(self.w.folder, "data")
        os.mkdir(data)
        with open(os.path.join(data, "d.txt"), "w") as file:
            file.write("mounted\n")
        code, out, err = self.run_tool("read", {"file_path": "/data/d.txt"}, "--mount", f"{data}:/data:ro")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("mounted", out)
        write = {"file_path": "/data/new.txt", "content": "x"}
        self.assertEqual(self.run_tool("write", write, "--mount", f"{data}:/data:ro")[0], 1)
        self.assertEqual(os.listdir(data), ["d.txt"])
        self.assertEqual(self.run_tool("write", write, "--mount", f"{data}:/data")[0], 0)
        self.assertEqual(sorted(os.listdir(data)), ["d.txt", "new.txt"])

    def test_describe(self):
        code, out, _ = self.here("tool", "describe", "read", "--json")
        said = json.loads(out)
        self.assertEqual((code, said["level"]), (0, "read_only"))
        self.assertEqual(said["limits"]["time"], {"value": 30000, "unit": "ms", "from": "default", "setting": "wasm_timeout", "min": 10,
                                                  "max": 86400000, "default": 30000, "what": "wall time, waiting included"})
        self.here("config", "set", "limits", '{"read":{"time":"5s"}}')
        said = json.loads(self.here("tool", "describe", "read", "--json")[1])
        self.assertEqual((said["limits"]["time"]["value"], said["limits"]["time"]["from"]), (5000, "settings"))
        names = [tool["name"] for tool in json.loads(self.here("tool", "list", "--json")[1])]
        self.assertLessEqual({"read", "write", "edit", "glob", "grep", "Sleep"}, set(names))
        self.assertEqual(names, sorted(names))

    @unittest.skipUnless(os.environ.get("BX_GENERATED"), "no folder of built guests")
    def test_file(self):
        wasm = os.path.join(os.environ["BX_GENERATED"], "guests", "read.wasm")
        code, out, err = self.here("tool", "run", wasm, "--input", '{"file_path":"note.txt"}')
        self.assertEqual((code, err), (0, ""))
        self.assertIn("hello", out)


class Sessions(Case):
    GOOD, BAD, TORN = ("01a0f3b2-0000-7000-8000-00000000000%d" % i for i in (1, 2, 3))

    def setUp(self):
        super().setUp()
        self.write_session(self.GOOD, HEADER % self.GOOD + EVENTS)
        self.write_session(self.BAD, "not json\n\0\0\0")
        self.write_session(self.TORN, HEADER % self.TORN + EVENTS[:-9])

    def test_list(self):
        code, out, err = self.here("session", "list", "--json")
        rows = [json.loads(line) for line in out.splitlines()]
        self.assertEqual((code, err), (0, ""))
        self.assertEqual([row["id"] for row in rows], [self.TORN, self.BAD, self.GOOD])  # newest first
        self.assertEqual([row["damaged"] for row in rows], [False, True, False])
        self.assertEqual([row["events"] for row in rows], [2, 0, 3])
        self.assertEqual(rows[2]["title"], "What is in note.txt?")
        code, out, _ = self.here("session", "list")
        self.assertEqual(len(out.splitlines()), 3)
        self.assertFalse(os.path.exists(os.path.join(self.w.state, "lock")))  # it only looks

    def test_show_and_export(self):
        code, out, _ = self.here("session", "show", self.GOOD)
        self.assertEqual(code, 0)
        for words in ("> What is in note.txt?", "I look.", '● read {"file_path":"note.txt"}', "hello"):
            self.assertIn(words, out)
        self.assertEqual(self.here("session", "show", self.GOOD, "--json")[1], EVENTS)
        code, out, _ = self.here("session", "export", self.TORN)
        self.assertEqual([event["seq"] for event in json.loads(out)["events"]], [1, 2])
        path = os.path.join(self.w.folder, "out.json")
        self.assertEqual(self.here("session", "export", self.GOOD, "--out", path)[0], 0)
        with open(path) as file:
            self.assertEqual(len(json.load(file)["events"]), 3)
        self.refused(1, "no readable header", "session", "show", self.BAD, "--workspace-dir", self.w.path)
        self.refused(1, "not the id", "session", "show", "../../x", "--workspace-dir", self.w.path)

    def test_search_for_much(self):
        self.refused(1, "at most", "session", "search", "x" * 100000, "--workspace-dir", self.w.path)
        self.assertEqual(self.here("session", "search", "\x01" * 8000)[:2], (0, ""))

    def test_names_do_not_steer_the_terminal(self):
        folder = os.path.join(self.w.folder, "up\x1b[2Jload")
        os.makedirs(folder)
        with open(os.path.join(folder, "SKILL.md"), "w") as file:
            file.write('---\nname: a\ndescription: d\nuses: ["\\e[2Jx"]\ntriggers: 7\n---\nx\n')
        code, out, err = self.here("skill", "check", folder)
        self.assertEqual((code, "[2Jx" in out, "\x1b" in out + err), (0, True, False), out + err)
        err = self.refused(1, "[2J", "skill", "check", folder + "/no\x1b[2J", "--workspace-dir", self.w.path)
        self.assertNotIn("\x1b", err)
        with open(os.path.join(self.w.root, ".mcp.json"), "w") as file:
            json.dump({"mcpServers": {"evil\x1b[2J": {"command": "x\x1b[31m\nno line of its own"}}}, file)
        code, out, err = self.here("mcp", "list", "--root", self.w.root)
        self.assertEqual((code, "\x1b" in out + err, [line for line in out.splitlines() if line.startswith("no line")]), (0, False, []), out + err)
        self.assertIn("evil [2J", out)

    def test_delete(self):
        self.assertEqual(self.here("session", "delete", self.GOOD)[0], 0)
        self.assertEqual(self.here("session", "delete", self.BAD)[0], 0)
        self.refused(1, "there is no session", "session", "delete", self.GOOD, "--workspace-dir", self.w.path)
        self.assertEqual(sorted(os.listdir(os.path.join(self.w.state, "trash"))), [self.GOOD + ".jsonl", self.BAD + ".jsonl"])
        self.assertEqual(self.w.sessions(), [self.TORN])

    def test_nothing_yet(self):
        empty = os.path.join(self.w.folder, "empty")
        os.mkdir(empty)
        self.assertEqual(self.call("session", "list", "--workspace-dir", empty), (0, "", ""))
        self.assertEqual(os.listdir(empty), [])


class Settings(Case):
    def test_set_and_get(self):
        for name, value, read in (("model", "tour", "tour\n"), ("max_turns", "7", "7\n"), ("limits", '{"*":{"time":"9s"}}', None)):
            self.assertEqual(self.here("config", "set", name, value), (0, "", ""))
            if read:
                self.assertEqual(self.here("config", "get", name), (0, read, ""))
        path = self.here("config", "path")[1].strip()
        with open(path) as file:
            self.assertEqual(json.load(file), {"model": "tour", "max_turns": 7, "limits": {"*": {"time": "9s"}}})
        self.refused(1, '"limits" must be an object', "config", "set", "limits", "3", "--workspace-dir", self.w.path)
        self.refused(1, "not set", "config", "get", "nothing", "--workspace-dir", self.w.path)
        self.assertEqual(self.here("config", "set", "max_turns", "null")[0], 0)
        self.refused(1, "not set", "config", "get", "max_turns", "--workspace-dir", self.w.path)
        with open(path, "w") as file:
            file.write('{"model": ')
        self.refused(1, "settings.json", "tool", "list", "--workspace-dir", self.w.path)
        self.refused(1, "settings.json", "config", "set", "model", "x", "--workspace-dir", self.w.path)
        with open(path) as file:
            self.assertEqual(file.read(), '{"model": ')  # what a person wrote is not thrown away

    def test_secrets_stay(self):
        self.here("config", "set", "model", "tour")  # an owner makes them
        path = os.path.join(self.w.state, "auth.json")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        with open(path) as file:
            secrets = list(json.load(file).values())
        self.assertGreaterEqual(len(secrets), 1)
        for args in (["config", "get"], ["doctor", "--json"], ["model", "list"], ["tool", "list"]):
            _, out, err = self.here(*args)
            for secret in secrets:
                self.assertNotIn(secret, out + err)

    def test_models(self):
        models = os.path.join(self.w.folder, "XDG_DATA_HOME/boxagnts/models")
        weights = os.path.join(self.w.folder, "mine.gguf")
        with open(weights, "wb") as file:
            file.write(b"GGUF" + bytes(100))
        self.assertEqual(self.call("model", "pull", weights)[0], 0)
        self.assertEqual(os.listdir(models), ["mine.gguf"])
        rows = [json.loads(line) for line in self.here("model", "list", "--json")[1].splitlines()]
        self.assertIn("embedded/tour", [row["id"] for row in rows if row["available"]])
        self.assertEqual(self.call("model", "rm", "mine")[0], 0)
        self.assertEqual(os.listdir(models), [])
        self.refused(1, "mine.gguf", "model", "rm", "mine")
        self.refused(2, "without a folder", "model", "rm", "../x")
        self.refused(1, "smollm2 or a .gguf file", "model", "pull", "something")

    def test_doctor(self):
        code, out, err = self.here("doctor", "--json", "--port", "1" if os.geteuid() == 0 else "30001")
        rows = {row["name"]: row for row in json.loads(out)}
        self.assertEqual(rows["sandbox"]["state"], "ok")
        self.assertEqual(rows["a tool call"]["state"], "ok")
        self.assertLessEqual({"second wall", "models", "state", "root", "certificates", "port"}, set(rows))
        self.assertEqual(code, 1 if any(row["state"] == "bad" for row in rows.values()) else 0)
        os.chmod(self.w.state, 0o755)
        code, out, _ = self.here("doctor", "--json")
        self.assertEqual({row["name"]: row for row in json.loads(out)}["state"]["state"], "bad")
        self.assertEqual(code, 1)


class Server(Case):
    def serve(self, *args):
        process = self.w.command("serve", "--workspace-dir", self.w.path, "--port", "0", *args)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        for line in process.stdout:
            found = re.search(r"http://127\.0\.0\.1:(\d+)/\?token=(\S+)", line)
            if found:
                return process, int(found[1]), found[2]
        self.fail(process.stderr.read())

    def get(self, port, path):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        return opener.open(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE)

    def test_one_owner(self):
        process, port, token = self.serve()
        self.assertEqual(self.get(port, "/healthz").status, 200)
        with open(os.path.join(self.w.state, "lock")) as file:
            lock = file.read()
        self.assertNotIn(token, lock)
        for args in (["run", "hello"], ["serve", "--port", "0"], ["session", "fsck", "--repair"], ["config", "set", "model", "x"]):
            self.refused(1, [f"process {process.pid}", f"http://127.0.0.1:{port}"], *args, "--workspace-dir", self.w.path)
        self.assertEqual(self.here("session", "list")[0], 0)  # who only looks may be beside it
        self.assertEqual(self.here("tool", "run", "read", "--input", '{"file_path":"note.txt"}')[0], 0)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(PATIENCE), 0)
        self.assertEqual(self.here("config", "set", "model", "tour")[0], 0)

    def test_killed_owner(self):
        process, port, _ = self.serve()
        process.kill()
        process.wait(PATIENCE)
        again, _, _ = self.serve()  # a lock that a dead process left behind is free
        again.send_signal(signal.SIGINT)
        self.assertEqual(again.wait(PATIENCE), 0)

    def test_taken_port(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            self.refused(1, "port", "serve", "--workspace-dir", self.w.path, "--port", str(taken.getsockname()[1]))

    def test_only_this_machine(self):
        self.refused(1, "other machines", "serve", "--workspace-dir", self.w.path, "--host", "0.0.0.0")


class Terminal(Case):
    """`run` in a terminal: the question, the answers, and what is shown."""

    SCRIPT = {"turns": [{"text": "I write.", "calls": [{"tool": "write", "input": {"file_path": "new.txt", "content": "x"}}]},
                        {"text": "Over \x1b[31mand\x07 out."}]}

    def run_in_terminal(self, answer, *args):
        self.w.start_model(self.SCRIPT)
        pid, terminal = pty.fork()
        if pid == 0:
            env = self.w.environment()
            env["NO_COLOR"] = "1"
            os.execve(BINARY, [BINARY, "run", "--workspace-dir", self.w.path, "--model", "scripted/m", *args, "write it"], env)
        self.addCleanup(os.close, terminal)
        shown, answered, give_up = "", False, time.monotonic() + PATIENCE
        while time.monotonic() < give_up:
            if not select.select([terminal], [], [], 1)[0]:
                continue
            try:
                piece = os.read(terminal, 65536)
            except OSError:
                break
            if not piece:
                break
            shown += piece.decode(errors="replace")
            if not answered and "instead: " in shown:
                answered = True
                os.write(terminal, answer)
        else:
            os.kill(pid, signal.SIGKILL)
        status = os.waitpid(pid, 0)[1]
        return os.waitstatus_to_exitcode(status), shown.replace("\r\n", "\n")

    def written(self):
        return os.path.exists(os.path.join(self.w.root, "new.txt"))

    def test_yes(self):
        code, shown = self.run_in_terminal(b"1\n")
        self.assertEqual(code, 0, shown)
        self.assertTrue(self.written())
        self.assertIn("? Let `write` change /new.txt, inside the sandbox", shown)
        self.assertIn("● write new.txt … ", shown)
        self.assertIn("Over [31mand out.", shown)  # a model cannot steer the terminal
        self.assertNotIn("\x1b", shown)

    def test_no(self):
        code, shown = self.run_in_terminal(b"4\n")
        self.assertEqual(code, 0, shown)
        self.assertFalse(self.written())
        self.assertIn("✕ write: ", shown)

    def test_instead(self):
        code, shown = self.run_in_terminal(b"write into other.txt\n")
        self.assertEqual(code, 0, shown)
        self.assertFalse(self.written())
        events = self.w.events(self.w.sessions()[0])
        answer = [event for event in events if event["type"] == "answer"][0]
        self.assertEqual((answer["choice"], answer["text"], answer["from"]), ("no", "write into other.txt", "terminal"))

    def test_stop_at_question(self):
        code, shown = self.run_in_terminal(b"\x03")
        self.assertEqual(code, 130, shown)
        self.assertFalse(self.written())
        self.assertEqual(self.w.events(self.w.sessions()[0])[-1]["reason"], "stopped")

    def test_yes_level_is_not_asked(self):
        code, shown = self.run_in_terminal(b"", "--yes", "write")
        self.assertEqual(code, 0, shown)
        self.assertTrue(self.written())
        self.assertNotIn("? Let", shown)


if __name__ == "__main__":
    unittest.main()
