#!/usr/bin/env python3
"""Questions of a run, asked through the server: what a yes reaches, and what a restart or a crash leaves of it."""
import os
import signal
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from boxagnts import Conversation  # noqa: E402


class Questions(Conversation):
    def written(self, name):
        return os.path.exists(os.path.join(self.workspace.root, name))

    def test_session_answer_survives_a_restart(self):
        def write(name):
            return {"calls": [{"tool": "write", "input": {"file_path": name, "content": "x"}}]}
        self.begin(write("a"), {"text": "one"}, write("b"), {"text": "two"}, write(".envrc"), {"text": "three"})
        self.send("write a")
        question = self.wait_for({"type": "question", "tool": "write", "level": "write"})
        self.assertIn("/a", question["text"])
        self.assertFalse(self.written("a"))
        self.answer(question, "session")
        self.wait_for({"type": "run_end", "reason": "done"})
        self.assertTrue(self.written("a"))
        self.answer(question, "once", status=404)
        self.assertEqual(self.server.end(), 0)
        self.restart()
        self.send("write b")
        self.wait_for({"type": "run_end", "reason": "done"}, 2)
        self.assertTrue(self.written("b"))
        self.send("write .envrc")
        question = self.wait_for({"type": "question"}, 2)  # the yes was for ordinary files
        self.answer(question, "no", text="use the settings")
        self.wait_for({"type": "run_end", "reason": "done"}, 3)
        self.assertFalse(self.written(".envrc"))
        self.wait_for({"type": "tool_result", "is_error": True, "content": {"$has": "use the settings"}})

    def test_crash_while_a_question_waits(self):
        self.begin({"calls": [{"tool": "write", "input": {"file_path": "a", "content": "x"}}]}, {"text": "here again"})
        self.send("write a")
        question = self.wait_for({"type": "question"})
        self.server.end(signal.SIGKILL)
        self.restart()
        self.wait_for({"type": "run_end", "reason": "interrupted"})
        self.wait_for({"type": "tool_result", "is_error": True})
        self.answer(question, "once", status=404)
        self.send("go on")
        self.wait_for({"type": "run_end", "reason": "done"})
        self.assertFalse(self.written("a"))

    def test_stop_while_a_question_waits(self):
        self.begin({"calls": [{"tool": "write", "input": {"file_path": "a", "content": "x"}}]}, {"text": "fine"})
        self.send("write a")
        self.wait_for({"type": "question"})
        self.assertEqual(self.server.call("POST", f"/sessions/{self.session}/stop", {})[0], 202)
        self.wait_for({"type": "run_end", "reason": "stopped"})
        self.assertFalse(self.written("a"))
        self.send("enough")  # right after the last event: the session is free again
        self.wait_for({"type": "run_end", "reason": "done"})

    def test_end_of_the_program_in_a_stream(self):
        self.begin({"text": "on and on ", "forever": True})
        self.send("talk")
        self.wait_for({"type": "user"})
        self.assertEqual(self.server.end(), 0)
        self.wait_for({"type": "run_end", "reason": "interrupted"})  # said by the program itself, not by the next start


if __name__ == "__main__":
    unittest.main(verbosity=2)
