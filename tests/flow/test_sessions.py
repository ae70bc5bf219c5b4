#!/usr/bin/env python3
"""Sessions as people use them: edit and resend, copies, the trash, search, exports and imports, retention; on the command line
too, beside the server and without it."""
import json
import os
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from boxagnts import BINARY, PATIENCE, Conversation  # noqa: E402


class Sessions(Conversation):
    def cli(self, *args, code=0):
        done = subprocess.run([BINARY, "session", *args, "--workspace-dir", self.workspace.path], capture_output=True,
                              stdin=subprocess.DEVNULL, text=True, timeout=PATIENCE, env=self.workspace.environment())
        self.assertEqual(done.returncode, code, (args, done.stdout, done.stderr))
        return done.stdout

    def ok(self, method, path, body=None, status=200):
        got, reply = self.server.call(method, path, body)
        self.assertEqual(got, status, (method, path, reply))
        return reply

    def finish(self, n):
        self.wait_for({"type": "run_end", "reason": "done"}, n)

    def seq(self, pattern, n=1):
        return self.wait_for(pattern, n)["seq"]

    def asked(self):
        """What the model was told last: the texts of the messages."""
        chats = [r["body"] for r in self.workspace.model.requests() if "completions" in r["path"]]
        return json.dumps(chats[-1]["messages"])

    def test_edit_and_resend(self):
        self.begin({"text": "first answer"}, {"text": "second answer"}, {"text": "third answer"})
        self.send("question one")
        self.finish(1)
        self.send("question two, with a mistake")
        self.finish(2)
        seq = self.seq({"type": "user", "text": "question two, with a mistake"})
        body = {"text": "question two", "replace": seq}
        self.ok("POST", f"/sessions/{self.session}/messages", body, 202)
        self.finish(3)
        told = self.asked()
        self.assertIn("question one", told)
        self.assertIn("first answer", told)
        self.assertIn("question two", told)
        self.assertNotIn("mistake", told)
        self.assertNotIn("second answer", told)
        self.assertIn("mistake", self.cli("show", self.session, "--json"))  # the log keeps all
        self.assertNotIn("mistake", self.cli("show", self.session))

    def test_copy_goes_its_own_way(self):
        self.begin({"text": "blue"}, {"text": "red"}, {"text": "green"})
        self.send("a colour?")
        self.finish(1)
        self.send("another?")
        self.finish(2)
        first_end = self.seq({"type": "run_end"})
        copy = self.ok("POST", f"/sessions/{self.session}/fork", {"seq": first_end}, 201)["id"]
        self.ok("POST", f"/sessions/{copy}/messages", {"text": "a third?"}, 202)
        self.workspace.wait_for(copy, {"type": "run_end", "reason": "done"}, 2)
        self.assertIn("blue", self.asked())
        self.assertNotIn("red", self.asked())
        self.assertNotIn("a third?", self.cli("show", self.session))

    def test_trash_search_and_pins_beside_the_server(self):
        self.begin({"text": "the word is xylophone"})
        self.send("say a word")
        self.finish(1)
        found = self.cli("search", "XYLOphone")
        self.assertIn(self.session, found)
        self.assertIn("the word is xylophone", found)
        self.assertEqual(self.cli("search", "nobody says this"), "")
        self.cli("rename", self.session, "Music")
        self.cli("pin", self.session)
        row = self.ok("GET", "/sessions?pinned=1")["sessions"][0]
        self.assertEqual((row["id"], row["title"]), (self.session, "Music"))
        self.cli("unpin", self.session)
        self.cli("delete", self.session)
        self.assertEqual(self.ok("GET", "/sessions")["sessions"], [])
        self.assertIn("Music", self.cli("list", "--in", "trash"))
        self.cli("restore", self.session)
        self.assertEqual(self.ok("GET", "/sessions")["sessions"][0]["title"], "Music")
        self.cli("delete", self.session, "00000000-0000-7000-8000-000000000000", code=1)
        self.server.end()
        self.cli("restore", self.session)  # and without a server
        copy = self.cli("fork", self.session, "--at", "2").strip()
        self.assertIn("Music (copy)", self.cli("list"))
        self.cli("delete", self.session, copy)
        self.assertEqual(self.cli("list"), "")
        self.assertIn("0 problems", self.cli("fsck"))

    def test_documents(self):
        self.begin({"text": "see \u001b[31m<script>"})
        self.send("hello")
        self.finish(1)
        path = os.path.join(self.workspace.folder, "one.json")
        self.cli("export", self.session, "--out", path)
        with open(path) as file:
            self.assertNotIn(self.server.token, file.read())
        imported = self.cli("import", path).strip()
        self.assertNotEqual(imported, self.session)
        self.assertEqual(self.workspace.events(imported), self.workspace.events(self.session))
        page = self.cli("export", imported, "--format", "html")
        self.assertIn("see \ufffd[31m&lt;script&gt;", page)
        self.assertNotIn("\u001b", self.cli("show", imported))  # nothing steers the terminal
        self.server.end()
        self.assertIn(imported, self.cli("list"))
        self.cli("import", os.path.join(self.workspace.state, "auth.json"), code=1)

    def test_retention_at_the_start(self):
        """The clock of the files is set back, not the machine's."""
        self.begin({"text": "x"})
        self.send("hello")
        self.finish(1)
        self.server.end()
        path = os.path.join(self.workspace.state, "sessions", self.session + ".jsonl")
        with open(path) as file:
            text = file.read()
        year = time.gmtime().tm_year
        with open(path, "w") as file:
            file.write(text.replace(f'"{year}-', f'"{year - 2}-'))
        with open(os.path.join(self.workspace.state, "settings.json")) as file:
            settings = json.load(file)
        settings["retention"] = {"archive_after_days": 30}
        with open(os.path.join(self.workspace.state, "settings.json"), "w") as file:
            json.dump(settings, file)
        self.restart()
        would = self.ok("GET", "/retention")
        give_up = time.monotonic() + PATIENCE
        archived = os.path.join(self.workspace.state, "archive", self.session + ".jsonl")
        while not os.path.exists(archived) or self.ok("GET", "/sessions")["sessions"]:
            self.assertLess(time.monotonic(), give_up, would)
            time.sleep(0.02)
        self.assertEqual(self.ok("POST", f"/sessions/{self.session}/restore")["id"], self.session)

    def test_fsck(self):
        self.begin({"text": "x"})
        self.send("hello")
        self.finish(1)
        path = os.path.join(self.workspace.state, "sessions", self.session + ".jsonl")
        self.cli("fsck", "--repair", code=1)  # the server holds it
        self.server.end(signal.SIGKILL)
        with open(path, "ab") as file:
            file.write(b'garbage\n{"seq":')
        said = self.cli("fsck", code=1)
        with open(path, "rb") as file:
            lines = len(file.read().splitlines())
        self.assertIn(f"{self.session}.jsonl:{lines - 1}: is no JSON", said)
        self.assertIn(f"{self.session}.jsonl:{lines}: is torn", said)
        self.assertIn("1 files repaired", self.cli("fsck", "--repair"))
        self.assertIn("0 problems", self.cli("fsck"))
        kept = os.listdir(os.path.join(self.workspace.state, "repair"))
        self.assertEqual(len(kept), 1)


if __name__ == "__main__":
    unittest.main()
