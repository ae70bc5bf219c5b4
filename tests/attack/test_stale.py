#!/usr/bin/env python3
"""A file that changed since the session read it is not overwritten in silence (src/tools/seen.h), in both positions of the
switch; and calls of one reply that touch one file do not stand in each other's way."""
import json
import os
import sys
import unittest
from unittest import mock

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "flow"))
from boxagnts import Workspace  # noqa: E402
from boxagnts import Server  # noqa: E402


def turn(*calls):
    return {"calls": [{"tool": tool, "input": members} for tool, members in calls]}


READ = ("read", {"file_path": "a.txt"})
EDIT = ("edit", {"file_path": "a.txt", "old_string": "alpha", "new_string": "beta"})
WRITE = ("write", {"file_path": "a.txt", "content": "mine\n"})


class Stale(unittest.TestCase):
    def converse(self, turns, between, unwired=""):
        """Sends a message for each turn; `between(n)` comes before the n-th. Returns the results by turn."""
        workspace = Workspace(files={"a.txt": "alpha\n"})
        self.addCleanup(workspace.close)
        self.path = os.path.join(workspace.root, "a.txt")
        workspace.start_model({"turns": [step for turn in turns for step in (turn, {"text": "done"})]})
        with mock.patch.dict(os.environ, {"BX_UNWIRE": unwired}):
            server = Server(workspace)
        try:
            session = server.call("POST", "/sessions", {"model": "scripted/m", "mode": "accept-edits"})[1]["id"]
            for n in range(len(turns)):
                between(n)
                self.assertEqual(server.call("POST", f"/sessions/{session}/messages", {"text": "go on"})[0], 202)
                workspace.wait_for(session, {"type": "run_end"}, n + 1)
        finally:
            server.end()
        runs, results = [], []
        for event in workspace.events(session):
            if event["type"] == "tool_result":
                results.append((event["is_error"], json.dumps(event["content"])))
            elif event["type"] == "run_end":
                runs.append(results)
                results = []
        return runs

    def text(self):
        with open(self.path) as file:
            return file.read()

    def put(self, text):
        with open(self.path, "w") as file:
            file.write(text)

    def change(self, n):
        if n == 1:
            self.put("alpha, by another hand\n")

    def test_edit_after_a_change(self):
        runs = self.converse([turn(READ), turn(EDIT), turn(READ, EDIT)], self.change)
        self.assertTrue(runs[1][0][0])
        self.assertIn("a.txt has changed since you last read it", runs[1][0][1])
        self.assertEqual([error for error, _ in runs[2]], [False, False])
        self.assertEqual(self.text(), "beta, by another hand\n")

    def test_write_after_a_change(self):
        runs = self.converse([turn(READ), turn(WRITE)], self.change)
        self.assertTrue(runs[1][0][0])
        self.assertEqual(self.text(), "alpha, by another hand\n")

    def test_write_over_what_was_never_read(self):
        runs = self.converse([turn(WRITE), turn(READ, WRITE, EDIT, WRITE)], lambda n: None)
        self.assertIn("you have not read it", runs[0][0][1])
        self.assertEqual([error for error, _ in runs[1]], [False, False, True, False])  # no alpha is left to edit

    def test_edits_of_one_reply(self):
        edits = [("edit", {"file_path": "a.txt", "old_string": a, "new_string": b})
                 for a, b in (("alpha", "beta"), ("beta", "gamma"), ("gamma", "delta"))]
        runs = self.converse([turn(READ, *edits)], lambda n: None)
        self.assertEqual([error for error, _ in runs[0]], [False] * 4)
        self.assertEqual(self.text(), "delta\n")

    @unittest.skipUnless(os.environ.get("BX_CAN_UNWIRE") == "1", "this build has no switches")
    def test_without_the_control(self):
        runs = self.converse([turn(READ), turn(WRITE)], self.change, "stale")
        self.assertFalse(runs[1][0][0])
        self.assertEqual(self.text(), "mine\n")


if __name__ == "__main__":
    unittest.main(verbosity=2)
