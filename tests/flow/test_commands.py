#!/usr/bin/env python3
"""Slash commands: through the API as the page uses them, and on the terminal (`boxagnts chat`); names of files behind an @."""
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from boxagnts import BINARY, PATIENCE, Conversation, Workspace  # noqa: E402

SKILL = "---\nname: greet\ndescription: How to greet *people*\n---\nSay hello.\n"


class Commands(Conversation):
    def command(self, text, status=200):
        got, body = self.server.call("POST", f"/sessions/{self.session}/command", {"text": text})
        self.assertEqual(got, status, body)
        return body

    def events(self, kind):
        return [e for e in self.workspace.events(self.session) if e["type"] == kind]

    def test_list_and_help_say_the_same(self):
        self.begin()
        listed = self.server.call("GET", "/commands")[1]["commands"]
        text = self.command("/help")["text"]
        for row in listed:
            if row["kind"] == "builtin":
                self.assertIn(f"`/{row['name']}", text)
        self.assertTrue({"help", "clear", "compact", "agents", "context", "memory", "fork", "export", "resume", "model", "permissions", "cost", "skills", "init", "doctor", "plan"} <= {row["name"] for row in listed}, listed)

    def test_unknown(self):
        self.begin()
        for text, near in (("/halp", "/help"), ("/perm", "/permissions"), ("/xyzzy", "/help")):
            problem = self.command(text, 400)
            self.assertEqual(problem["field"], "text")
            self.assertIn(near, problem["detail"])
        self.command("hello", 400)
        self.command("/", 400)
        self.command("/a/b", 400)

    def test_clear_makes_an_empty_session(self):
        self.begin({"text": "One."})
        self.send("First")
        self.wait_for({"type": "run_end"})
        got = self.command("/clear")
        self.assertEqual(got["kind"], "session")
        self.assertNotEqual(got["session"], self.session)
        row = self.server.call("GET", f"/sessions/{got['session']}")[1]["session"]
        self.assertEqual((row["model"], row["events"]), ("scripted/m", 0))
        self.assertEqual(self.server.call("GET", f"/sessions/{self.session}")[0], 200)

    def test_fork_and_export(self):
        self.begin({"text": "One."})
        self.send("First")
        self.wait_for({"type": "run_end"})
        copy = self.command("/fork")
        self.assertEqual(copy["kind"], "session")
        self.assertEqual([e["text"] for e in self.workspace.events(copy["session"]) if e["type"] == "assistant"], ["One."])
        self.command("/fork 0", 400)
        self.command("/fork x", 400)
        self.assertEqual(self.command("/export html")["what"], "export")
        self.command("/export pdf", 400)

    def test_mode_model_title(self):
        self.begin({"text": "A plan."})
        self.assertEqual(self.command("/permissions")["kind"], "open")
        self.assertEqual(self.command("/permissions accept-edits")["kind"], "text")
        self.assertEqual(self.events("mode")[-1]["mode"], "accept-edits")
        self.command("/permissions bypass", 403)
        self.command("/permissions wild", 400)
        self.assertEqual(self.command("/model")["what"], "model")
        self.command("/model nothing/there", 404)
        self.command("/model scripted/m")
        self.assertEqual(self.events("model")[-1]["model"], "scripted/m")
        self.command("/rename A *new* name")
        self.assertEqual(self.events("title")[-1]["title"], "A *new* name")
        run = self.command("/plan how to go on")
        self.assertEqual(run["kind"], "run")
        self.wait_for({"type": "run_end", "run": run["run"]})
        self.assertEqual(self.events("mode")[-1]["mode"], "plan")
        self.assertEqual(self.events("user")[-1]["text"], "how to go on")

    def test_init_is_a_run(self):
        self.begin({"text": "Written."})
        run = self.command("/init Name the owner, Ada.")
        self.wait_for({"type": "run_end", "run": run["run"], "reason": "done"})
        text = self.events("user")[-1]["text"]
        self.assertIn("AGENTS.md", text)
        self.assertTrue(text.endswith("Name the owner, Ada."))

    def test_compact_is_a_run(self):
        long = "word " * 2000
        self.begin({"text": long}, {"text": long}, when=[{"contains": "the number", "turns": [{"text": "## Goal\nCount.\n## Facts\nKept: 7."}]}])
        for n in (1, 2):
            self.send("Go on " + long)
            self.wait_for({"type": "run_end"}, n)
        run = self.command("/compact the number")
        self.wait_for({"type": "run_end", "run": run["run"], "reason": "done"})
        self.assertIn("Kept: 7.", self.events("compact")[-1]["summary"])
        self.assertEqual(len(self.events("user")), 2, "the focus is no message")

    def test_what_shows(self):
        folder = os.path.join(self.workspace.root, ".agents", "skills", "greet")
        os.makedirs(folder)
        with open(os.path.join(folder, "SKILL.md"), "w") as file:
            file.write(SKILL)
        self.begin({"text": "One.", "usage": {"prompt_tokens": 3200, "completion_tokens": 34}})
        self.send("First")
        self.wait_for({"type": "run_end"})
        cost = self.command("/cost")
        self.assertRegex(cost["text"], r"1 request: 3200 tokens in .* 34 out")
        with open(os.path.join(self.workspace.state, "memory.md"), "w") as file:
            file.write("- The owner is Ada.\n")
        self.assertEqual(self.command("/memory")["text"], "- The owner is Ada.\n")
        context = self.command("/context")["text"]
        self.assertRegex(context, r"about \d+ tokens of 32768 \(\d+ %\), compacted from \d+ on")
        for part in ("instructions", "tools", "memory", "history"):
            self.assertRegex(context, rf"(?m)^- {part}: \d+$")
        self.assertRegex(self.command("/agents")["text"], r"(?m)^- `explore` ")
        self.assertIn("`/greet`", self.command("/skills")["text"])
        self.assertIn("\\*people\\*", self.command("/skills")["text"])
        self.assertIn(self.session, self.command("/resume First")["text"])
        self.assertEqual(self.command("/resume " + self.session)["session"], self.session)
        doctor = self.command("/doctor")["text"]
        self.assertRegex(doctor, r"(?m)^- ok: sandbox\.")
        self.assertEqual(self.events("user")[-1]["text"], "First", "what only shows leaves the session alone")


class Files(Conversation):
    def setUp(self):
        super().setUp()
        self.workspace.close()
        self.workspace = Workspace(files={name: "" for name in (
            "README.md", "src/main.c", "src/agent/main_loop.c", "docs/domain.md", "node_modules/main/index.js", ".env", "a b.txt")},
            links={"out": "/etc", "src/up": ".."})
        self.addCleanup(self.workspace.close)

    def paths(self, query, limit=20):
        status, body = self.server.call("GET", f"/files?q={query}&limit={limit}")
        self.assertEqual(status, 200)
        return [f["path"] for f in body["files"]], body["cut"]

    def test_names(self):
        self.begin()
        found, cut = self.paths("main")
        self.assertEqual(found[:2], ["src/main.c", "src/agent/main_loop.c"])
        self.assertIn("docs/domain.md", found)
        self.assertFalse(any("node_modules/" in f for f in found), found)
        self.assertFalse(cut)
        self.assertEqual(self.paths("src/")[0], ["src/agent", "src/main.c", "src/up"])
        self.assertEqual(self.paths("src/ma")[0], ["src/main.c", "src/agent/main_loop.c"])
        self.assertEqual(self.paths("a%20b")[0], ["a b.txt"])
        self.assertNotIn(".env", self.paths("env")[0])
        self.assertIn(".env", self.paths(".en")[0])
        self.assertEqual(self.paths("mdc")[0], [], "letters in another order")
        self.assertEqual(self.paths("", 2), (["a b.txt", "docs"], True))

    def test_stays_in_the_root(self):
        self.begin()
        for query in ("out/", "out/passwd", "../", "..%2f..%2fetc/pass"):
            self.assertEqual(self.paths(query)[0], [], query)
        self.assertEqual(self.paths("node_modules/ma")[0][0], "node_modules/main")


class Terminal(unittest.TestCase):
    def setUp(self):
        self.workspace = Workspace()
        self.addCleanup(self.workspace.close)

    def arguments(self, *more):
        return ["chat", "--workspace-dir", self.workspace.path, "--model", "scripted/m", *more]

    def test_pipe(self):
        """Lines of a pipe are messages and commands in their order."""
        self.workspace.start_model([{"text": "One."}, {"text": "Two."}])
        text = "/help\nfirst \\\nand more\n//slash\n/rename Piped\n/clear\nthird\n"
        done = subprocess.run([BINARY, *self.arguments()], input=text, capture_output=True, text=True, timeout=PATIENCE,
                              env=self.workspace.environment(), cwd=self.workspace.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("`/clear`", done.stdout)
        self.assertRegex(done.stdout, r"(?s)One\.\n.*Two\.\n.*Piped.*One\.")
        first, second = self.workspace.sessions()
        said = [e["text"] for e in self.workspace.events(first) if e["type"] == "user"]
        self.assertEqual(said, ["first \nand more", "/slash"])
        self.assertEqual([e["text"] for e in self.workspace.events(second) if e["type"] == "user"], ["third"])

    def test_pipe_ends_at_a_wrong_command(self):
        self.workspace.start_model([{"text": "One."}])
        done = subprocess.run([BINARY, *self.arguments()], input="/nonsense\nhello\n", capture_output=True, text=True,
                              timeout=PATIENCE, env=self.workspace.environment(), cwd=self.workspace.folder)
        self.assertEqual(done.returncode, 1)
        self.assertIn("no command /nonsense", done.stderr)

    def test_pipe_that_is_no_message(self):
        """What would only be sent in part is not sent at all, and it is said."""
        self.workspace.start_model([{"text": "One."}])
        for text, said in ((b"a" * 1500000 + b"\n", "a message has at most 1 MiB"), (b"hello\0world\n", "holds a NUL byte")):
            done = subprocess.run([BINARY, *self.arguments()], input=text, capture_output=True, timeout=PATIENCE,
                                  env=self.workspace.environment(), cwd=self.workspace.folder)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(said, done.stderr.decode())
        for session in self.workspace.sessions():
            self.assertEqual(self.workspace.events(session), [])

    def open_terminal(self, term):
        self.seen = ""
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(self.workspace.folder)
            os.execve(BINARY, [BINARY, *self.arguments()], self.workspace.environment() | {"TERM": term, "NO_COLOR": "1"})
        self.addCleanup(self.clean, self.pid, self.terminal)

    def clean(self, pid, terminal):
        os.close(terminal)
        if self.pid == pid: # it has not ended
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

    def until(self, pattern):
        give_up = time.monotonic() + PATIENCE
        while not re.search(pattern, self.seen):
            self.assertLess(time.monotonic(), give_up, f"no {pattern} in {self.seen!r}")
            if select.select([self.terminal], [], [], 1)[0]:
                self.seen += os.read(self.terminal, 65536).decode(errors="replace")
        self.seen = self.seen[re.search(pattern, self.seen).end():]

    def type(self, keys):
        os.write(self.terminal, keys)

    def end(self):
        self.type(b"\x04")
        with self.assertRaises(OSError): # of the terminal, when the program has ended
            self.until("never said")
        self.assertEqual(os.waitpid(self.pid, 0)[1], 0)
        self.pid = None

    def test_terminal(self):
        """A question, Ctrl-C at the prompt and in a run, the end; with and without editing of lines."""
        for term in ("dumb", "xterm"):
            with self.subTest(term):
                self.workspace.start_model([{"calls": [{"tool": "write", "input": {"file_path": f"/{term}.txt", "content": term}}]},
                                            {"text": "Written."}, {"text": "for ever ", "forever": True}])
                self.open_terminal(term)
                self.until(r"/help lists the commands[^>]*> ")
                self.type(b"half a mess\x03")
                self.until(r"Ctrl-D or /exit ends the chat[^>]*> ")
                self.type(b"/nope\n")
                self.until("no command /nope")
                self.until("> ")
                self.type(b"write it\n")
                self.until(r"\[1\] once")
                self.type(b"1\n")
                self.until("Written")
                self.until("> ")
                self.type(b"go on\n")
                self.until("for ever for ever")
                self.type(b"\x03")
                self.until("\n> ")
                self.end()
                with open(os.path.join(self.workspace.root, f"{term}.txt")) as file:
                    self.assertEqual(file.read(), term)
                self.workspace.model.close()

    def test_typed_while_a_run_is_at_work(self):
        """It waits and joins, can be looked at and taken back; a command answers at once; what waits when the run is stopped stays;
        another session is gone to and come back from while a run waits for its answer."""
        skill = os.path.join(self.workspace.state, "skills", "look")
        os.makedirs(skill)
        with open(os.path.join(skill, "SKILL.md"), "w") as file:
            file.write("---\ndescription: Only looks\ntools: [Read]\n---\nLook at $ARGUMENTS.\n")
        sleep = {"calls": [{"tool": "Sleep", "input": {"ms": 3600000}}]}
        write = {"calls": [{"tool": "write", "input": {"file_path": "/w.txt", "content": "w"}}]}
        for term in ("dumb", "xterm"):
            with self.subTest(term):
                self.workspace.start_model({"turns": [sleep], "when": [{"contains": "ask me", "turns": [write, {"text": "Asked."}]},
                                                                       {"contains": "Look at the code", "turns": [sleep, {"text": "Only looked."}]}]})
                self.open_terminal(term)
                self.until(r"/help lists the commands[^>]*> ")
                self.type(b"begin\n")
                self.wait_for_call("Sleep")
                self.type(b"one \\\nmore\n")
                self.until("waits for the next turn .*: one")
                self.type(b"/look the code\n")
                self.until("waits for the next turn .*: /look the code")
                self.type(b"/nope\n")
                self.until("no command /nope")
                self.type(b"/queue\n")
                self.until(r"1\. one +more\s+2\. /look the code")
                self.type(b"/queue back 1\n")
                self.until("Taken back: one")
                self.type(b"\x03")
                self.until("What waits goes out before your next message")
                self.until("> ")
                self.type(b"/queue\n")
                self.until(r"1\. /look the code")
                self.until("> ")
                self.type(b"go on\n")
                self.until("Only looked")
                self.until("> ")
                self.type(b"/clear\n")
                self.until("> ")
                self.type(b"ask me\n")
                self.until(r"\[1\] once")
                self.type(b"1\n")
                self.until("Asked")
                self.until("> ")
                self.end()
                self.workspace.model.close()

    def wait_for_call(self, tool):
        self.workspace.wait_for(self.workspace.sessions()[-1], {"type": "tool_start", "tool": tool})

    def test_another_session_while_a_run_is_at_work(self):
        self.workspace.start_model({"turns": [{"calls": [{"tool": "Sleep", "input": {"ms": 3600000}}, {"tool": "write", "input": {"file_path": "/w", "content": "w"}}]}],
                                    "when": [{"contains": "meanwhile", "turns": [{"text": "Elsewhere."}]}]})
        self.open_terminal("dumb")
        self.until("> ")
        self.type(b"begin\n")
        self.wait_for_call("Sleep")
        first = self.workspace.sessions()[-1]
        self.until(r"\[1\] once")
        self.type(b"1\n")
        self.workspace.wait_for(first, {"type": "tool_result", "tool": "write"})
        self.type(b"/clear\n")
        self.until(f"The run goes on. /resume {first}")
        self.until("> ")
        self.type(b"meanwhile\n")
        self.until("Elsewhere")
        self.until("> ")
        self.assertEqual([e for e in self.workspace.events(first) if e["type"] == "run_end"], [])
        self.type(f"/resume {first}\n".encode())
        self.until("/resume")
        self.type(b"one more word\n")
        self.workspace.wait_for(first, {"type": "queued", "text": "one more word"})
        self.type(b"\x03")
        self.until("What waits goes out before your next message")
        self.until("> ")
        self.end()

    def test_editing(self):
        """Completion, history of the last chat too, characters of several bytes, a paste of several lines."""
        self.workspace.start_model([{"text": "Fine."}] * 9)
        os.makedirs(os.path.join(self.workspace.root, "src"))
        open(os.path.join(self.workspace.root, "src", "märchen.txt"), "w").close()
        self.open_terminal("xterm")
        self.until("> ")
        self.type(b"/he\t\n")
        self.until("or one of these")
        self.until("> ")
        self.type("see @src/m\tß!\x7f?\n".encode())
        self.until("Fine")
        self.until("> ")
        self.type(b"one\ntwo\nthree\n")
        self.until("Fine")
        self.until("> ")
        self.end()
        self.open_terminal("xterm")
        self.until("> ")
        self.type(b"\x1b[A\x1b[A\n")
        self.until("Fine")
        self.until("> ")
        self.end()
        first, second = self.workspace.sessions()
        said = [[e["text"] for e in self.workspace.events(s) if e["type"] == "user"] for s in (first, second)]
        self.assertEqual(said[0], ["see @src/märchen.txt ß?", "one\ntwo\nthree"])
        self.assertEqual(said[1], ["see @src/märchen.txt ß?"])
        self.assertEqual(os.stat(os.path.join(self.workspace.state, "history")).st_mode & 0o777, 0o600)


if __name__ == "__main__":
    unittest.main()
