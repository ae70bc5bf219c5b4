#!/usr/bin/env python3
"""Questions of a run, asked through the server: what a yes reaches, and what a restart or a crash leaves of it."""
import json
import os
import pty
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from boxagnts import BINARY, PATIENCE, Conversation  # noqa: E402


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

    def killed_at_a_question(self, *turns, end=signal.SIGKILL):
        """A run that waits for an answer when its server dies; what the next server says of it."""
        self.begin(*turns)
        self.send("go")
        question = self.wait_for({"type": "question"})
        self.server.end(end) if end else self.assertEqual(self.server.end(), 0)
        self.restart()
        return question

    def still_asked(self, question):
        session = self.server.call("GET", f"/sessions/{self.session}")[1]
        self.assertEqual((session["question"], session["session"]["waiting"]), (question["question"], True))

    WRITE = {"calls": [{"tool": "write", "input": {"file_path": "a", "content": "x"}}]}

    def test_a_call_that_is_long(self):
        """A yes for the session becomes a rule in the log, whose lines stay whole; what is too long for one can only be allowed once."""
        def bash(command):
            return {"tool": "bash", "input": {"command": command}}
        commands = ["echo " + "y" * size for size in (20000, 100000)]
        self.begin({"calls": [bash(commands[0])]}, {"calls": [bash(commands[0])]},
                   {"calls": [bash(commands[1])]})
        self.send("go")
        question = self.wait_for({"type": "question"})
        self.answer(question, "session")
        long = self.wait_for({"type": "question"}, 2) # the second call needed none
        self.assertEqual(long["choices"], ["once", "no"])
        self.answer(long, "always", 400)
        self.assertEqual(self.server.call("POST", f"/sessions/{self.session}/stop")[0], 202)
        self.wait_for({"type": "run_end", "reason": "stopped"})
        self.assertEqual(self.wait_for({"type": "answer", "choice": "session"})["rule"]["command"], commands[0])
        self.assertEqual([e["is_error"] for e in self.workspace.events(self.session) if e["type"] == "tool_result"], [False, False, True])

    def test_arguments_that_are_nested_deeply(self):
        """They are refused before they make a line that nobody could read again."""
        deep = "[" * 120 + "]" * 120
        self.begin({"calls": [{"tool": "read", "input": {"file_path": "a", "x": json.loads(deep)}}]}, {"text": "done"})
        self.send("go")
        self.wait_for({"type": "run_end", "reason": "done"})
        self.assertIn("nested deeper", self.wait_for({"type": "tool_result"})["content"])
        self.assertEqual(self.server.call("GET", f"/sessions/{self.session}/context")[0], 200)
        self.assertIn("nested deeper", json.dumps(self.workspace.model.requests()[1]))

    def test_a_question_survives_a_crash(self):
        question = self.killed_at_a_question(self.WRITE, {"text": "here again"})
        self.still_asked(question)
        self.assertFalse(self.written("a"))
        self.answer(question, "always", status=400 if "always" not in question["choices"] else 202)
        self.wait_for({"type": "run_end", "reason": "done", "run": question["run"]})
        self.assertTrue(self.written("a"))
        self.answer(question, "once", status=404)
        events = self.workspace.events(self.session)
        self.assertEqual([e["question"] for e in events if e["type"] in ("question", "answer")], [question["question"]] * 2)
        self.assertEqual(len([e for e in events if e["type"] == "tool_result"]), 1)

    def test_an_answer_is_in_the_log_when_it_is_acknowledged(self):
        names = [f"f{n}" for n in range(12)]
        self.begin(*({"calls": [{"tool": "write", "input": {"file_path": name, "content": "x"}}]} for name in names), {"text": "done"})
        self.send("go")
        for n, name in enumerate(names):
            question = self.wait_for({"type": "question"}, n + 1)
            self.answer(question, "once")
            self.assertIn(question["question"], [e["question"] for e in self.workspace.events(self.session) if e["type"] == "answer"], name)
        self.wait_for({"type": "run_end", "reason": "done"})

    def test_a_question_whose_reply_is_lost(self):
        """The line with the calls is gone: the server starts, the question can be answered, and the session goes on. The answer holds for no other call."""
        self.begin(self.WRITE, {"text": "here again"})
        self.send("go")
        question = self.wait_for({"type": "question"})
        self.server.end(signal.SIGKILL)
        path = os.path.join(self.workspace.state, "sessions", self.session + ".jsonl")
        with open(path) as file:
            lines = file.read().split("\n")
        with open(path, "w") as file:
            file.write("\n".join(line for line in lines if '"type":"assistant"' not in line))
        self.restart()
        self.still_asked(question)
        self.answer(question, "once")
        anew = self.wait_for({"type": "question"}, 2)  # the model calls again, and that yes was for the call that is gone
        self.assertFalse(self.written("a"))
        self.answer(anew, "no")
        self.wait_for({"type": "run_end", "reason": "done"})
        self.send("go on")
        self.assertEqual(self.server.end(), 0)

    def test_no_after_a_crash(self):
        question = self.killed_at_a_question(self.WRITE, {"text": "as you wish"})
        self.answer(question, "no", text="not that one")
        self.wait_for({"type": "tool_result", "is_error": True, "content": {"$has": "not that one"}})
        self.wait_for({"type": "run_end", "reason": "done"})
        self.assertFalse(self.written("a"))

    def test_a_question_survives_an_orderly_end_twice(self):
        question = self.killed_at_a_question(self.WRITE, {"text": "fine"}, end=None)
        self.still_asked(question)
        self.assertEqual(self.server.end(), 0)
        self.restart()
        self.still_asked(question)
        self.answer(question, "once")
        self.wait_for({"type": "run_end", "reason": "done"})
        self.assertTrue(self.written("a"))

    def test_a_question_of_the_model_survives(self):
        ask = {"calls": [{"tool": "AskUserQuestion", "input": {"questions": [{"question": "Which?", "header": "w", "multi": False, "options": [
            {"label": "red", "description": "r"}, {"label": "blue", "description": "b"}]}]}}]}
        question = self.killed_at_a_question(ask, {"text": "thanks"})
        self.still_asked(question)
        self.answer(question, "answer", answers=[{"selected": ["green"]}], status=400)
        self.answer(question, "answer", answers=[{"selected": ["blue"]}])
        self.wait_for({"type": "tool_result", "is_error": False, "content": {"$has": "blue"}})
        self.wait_for({"type": "run_end", "reason": "done"})
        self.assertEqual(len([e for e in self.workspace.events(self.session) if e["type"] == "tool_start"]), 1)

    def test_what_had_begun_is_closed_and_the_rest_goes_on(self):
        """A call that ran, one that is asked for, and one that waits for its turn to be asked."""
        calls = [{"tool": "Sleep", "input": {"ms": 3600000}}, *({"tool": "write", "input": {"file_path": n, "content": "x"}} for n in "ab")]
        self.begin({"calls": calls}, {"text": "both"})
        self.send("go")
        self.wait_for({"type": "tool_start", "tool": "Sleep"})
        first = self.wait_for({"type": "question"})
        status, said = self.server.call("POST", f"/sessions/{self.session}/messages", {"text": "typed meanwhile"})
        self.assertEqual((status, list(said)), (202, ["queued"]))
        self.server.end(signal.SIGKILL)
        self.restart()
        self.wait_for({"type": "tool_result", "tool": "Sleep", "content": {"$has": "Interrupted"}})
        self.still_asked(first)
        self.assertEqual(self.server.call("GET", f"/sessions/{self.session}")[1]["queued"], [{"id": said["queued"], "text": "typed meanwhile"}])
        self.answer(first, "once")
        second = self.wait_for({"type": "question"}, 2)
        self.assertNotEqual(first["call"], second["call"])
        self.answer(second, "once")
        self.wait_for({"type": "user", "queued": said["queued"], "run": first["run"]})
        self.wait_for({"type": "run_end", "reason": "done", "run": first["run"]})
        self.assertTrue(self.written("a") and self.written("b"))

    def test_stop_after_a_crash(self):
        question = self.killed_at_a_question(self.WRITE, {"text": "fine"})
        self.assertEqual(self.server.call("POST", f"/sessions/{self.session}/stop", {})[0], 202)
        self.wait_for({"type": "run_end", "reason": "stopped", "run": question["run"]})
        self.answer(question, "once", status=404)
        self.assertFalse(self.written("a"))

    def test_a_run_of_the_terminal_keeps_its_mode(self):
        """The session's would allow what this run asks for."""
        self.begin(self.WRITE, {"calls": [{"tool": "write", "input": {"file_path": "b", "content": "x"}}]}, {"text": "fine"})
        self.assertEqual(self.server.call("PATCH", f"/sessions/{self.session}", {"mode": "auto"})[0], 200)
        self.server.end()
        terminal, end = pty.openpty()
        self.addCleanup(os.close, terminal)
        command = [BINARY, "run", "--workspace-dir", self.workspace.path, "--session", self.session, "--mode", "default", "go"]
        process = subprocess.Popen(command, stdin=end, stdout=end, stderr=end, env=self.workspace.environment(), start_new_session=True)
        os.close(end)
        question = self.wait_for({"type": "question"})
        process.kill()
        process.wait()
        self.restart()
        self.still_asked(question)
        self.answer(question, "once")
        self.answer(self.wait_for({"type": "question"}, 2), "no")
        self.wait_for({"type": "run_end", "reason": "done", "run": question["run"]})
        self.assertEqual((self.written("a"), self.written("b")), (True, False))

    @unittest.skipUnless(os.environ.get("BX_CAN_UNWIRE") == "1", "this build switches nothing off")
    def test_unwired(self):
        """The other position: the run is closed, and the question with it."""
        os.environ["BX_UNWIRE"] = "resume"
        try:
            question = self.killed_at_a_question(self.WRITE)
        finally:
            del os.environ["BX_UNWIRE"]
        self.wait_for({"type": "run_end", "reason": "interrupted"})
        self.wait_for({"type": "tool_result", "is_error": True})
        self.answer(question, "once", status=404)

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
