#!/usr/bin/env python3
"""Budgets: what ends a run by which name, from the command line and through the server; and what receipts say of permission."""
import glob
import json
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from boxagnts import Conversation, Run, Workspace  # noqa: E402

READ = {"calls": [{"tool": "read", "input": {"file_path": "a.txt"}}]}
PRICE = {"input": 2, "output": 2}


class CommandLine(unittest.TestCase):
    def setUp(self):
        self.workspace = Workspace(files={"a.txt": "hello\n"})
        self.addCleanup(self.workspace.close)

    def run_with(self, turns, *flags):
        self.workspace.start_model({"turns": turns})
        run = Run(self.workspace, "go", *flags)
        run.wait_for({"type": "run_end"})
        code = run.finish()
        limits = [e for e in run.seen if e["type"] == "limit"]
        return code, [e["limit"] for e in limits], [e for e in run.seen if "seq" in e]  # without what is only live

    def test_calls(self):
        code, limits, seen = self.run_with([READ, READ, READ, {"text": "Two of them."}], "--max-calls", "2")
        self.assertEqual((code, limits, seen[-1]["reason"]), (3, ["calls"], "calls"))
        self.assertEqual(len([e for e in seen if e["type"] == "tool_start"]), 2)

    def test_a_flood_of_text_is_cut(self):
        code, limits, _ = self.run_with([{"text": "and on and on ", "forever": True}], "--max-tokens", "9000")
        self.assertEqual((code, limits), (3, ["tokens"]))

    def test_time_ends_a_model_that_hangs(self):
        hangs = {"text": "hm, let me think about it", "stall_ms": 3600000}
        code, limits, seen = self.run_with([hangs, hangs], "--max-time", "300ms")
        self.assertEqual((code, limits, seen[-1]["reason"]), (3, ["time"], "time"))

    def test_fuel(self):
        work = {"calls": [{"tool": "read", "input": {"file_path": "a.txt"}}]}
        code, limits, seen = self.run_with([work] * 30 + [{"text": "x"}], "--max-fuel", "1000")
        self.assertEqual((code, limits), (3, ["fuel"]))
        self.assertTrue(any(e["type"] == "tool_result" and e["limit"] == "fuel" for e in seen))

    def test_money_needs_a_price(self):
        self.workspace.start_model({"turns": [{"text": "x"}]})
        command = self.workspace.command("run", "--workspace-dir", self.workspace.path, "--model", "scripted/m", "--max-cost", "0.5", "hi")
        error = command.communicate()[1]
        self.assertEqual(command.returncode, 1)
        self.assertIn('"price"', error)

    def test_what_is_refused(self):
        for flag, value, says in (("--max-tokens", "0", "above 0"), ("--max-cost", "free", "US$"), ("--max-time", "soon", "30s"),
                                  ("--max-calls", "-1", "above 0"), ("--max-time", "0", "seconds")):
            command = self.workspace.command("run", "--workspace-dir", self.workspace.path, flag, value, "hi")
            error = command.communicate()[1]
            self.assertEqual((command.returncode, says in error), (2, True), (flag, value, error))


class Served(Conversation):
    def test_the_sessions_budget_in_mid_stream(self):
        """Priced, and cut while the model is still writing; the next message has the whole budget again."""
        self.workspace.settings = {}
        self.begin({"text": "on and on ", "forever": True}, {"text": "Once more."})
        path = os.path.join(self.workspace.state, "settings.json")
        with open(path) as file:
            settings = json.load(file)
        settings["providers"]["scripted"]["models"][0]["price"] = PRICE
        status, _ = self.server.call("PUT", "/settings", {"providers": settings["providers"]})
        self.assertEqual(status, 200)
        self.assertEqual(self.server.call("PATCH", f"/sessions/{self.session}", {"budget": {"money": 0.05}})[0], 200)
        self.send("go")
        self.wait_for({"type": "run_end", "reason": "money"})
        self.wait_for({"type": "limit", "limit": "money"})
        self.assertEqual(self.server.call("PATCH", f"/sessions/{self.session}", {"budget": None})[0], 200)
        self.send("again")
        self.wait_for({"type": "run_end", "reason": "done"})
        self.assertGreater(self.wait_for({"type": "usage"})["cost"], 0)

    def test_receipts_say_who_permitted(self):
        write = {"calls": [{"tool": "write", "input": {"file_path": "b.txt", "content": "b"}}]}
        self.begin(READ, write, write, {"text": "done"})
        self.assertEqual(self.server.call("POST", "/grants", {"tool": "read", "scope": "workspace"})[0], 201)
        self.send("go")
        self.answer(self.wait_for({"type": "question"}), "once")
        self.answer(self.wait_for({"type": "question"}, 2), "no")
        self.wait_for({"type": "run_end"})
        lines = []
        for name in sorted(glob.glob(os.path.join(self.workspace.state, "receipts", "*.jsonl"))):
            with open(name) as file:
                lines += [json.loads(line) for line in file]
        said = [(r["tool"], r["permit"]["decision"], r["permit"]["by"], bool(r["permit"]["rule"])) for r in lines]
        self.assertEqual(said, [("read", "allow", "rule", True), ("write", "allow", "user", False), ("write", "deny", "user", False)])
        verify = subprocess.run([os.environ["BOXAGNTS"], "verify", "--workspace-dir", self.workspace.path], capture_output=True, text=True, check=False)
        self.assertIn("3 receipts", verify.stdout, verify.stderr)


if __name__ == "__main__":
    unittest.main()
