#!/usr/bin/env python3
"""The native tools through the real binary: questions in a page, by a program and on a terminal; plan mode; tasks; skills; many tools."""
import json
import os
import pty
import select
import signal
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "attack"))
import client  # noqa: E402
from boxagnts import BINARY, PATIENCE, Conversation, Model, Run, Workspace  # noqa: E402

ASK = {"tool": "AskUserQuestion", "input": {"question": "Which database?", "header": "Database", "options": [
    {"label": "SQLite", "description": "One file"}, {"label": "Postgres"}]}}
TWO = {"tool": "AskUserQuestion", "input": {"questions": [
    {"question": "Which files?", "options": [{"label": "a"}, {"label": "b"}, {"label": "c"}], "multi": True},
    {"question": "Why?"}]}}
PLAN = {"tool": "ExitPlanMode", "input": {"plan": "1. write a.txt"}}
ENTER = {"tool": "EnterPlanMode", "input": {}}
TODO = {"tool": "TodoWrite", "input": {"todos": [{"content": "read", "status": "completed"},
                                                 {"content": "write", "status": "in_progress", "activeForm": "writing"}]}}


def write(name):
    return {"tool": "write", "input": {"file_path": name, "content": "x"}}


class ByProgram(Conversation):
    def result(self, tool, n=1):
        return self.wait_for({"type": "tool_result", "tool": tool}, n)

    def about(self):
        return self.server.call("GET", f"/sessions/{self.session}")[1]

    def test_question_and_what_it_takes(self):
        self.begin({"calls": [ASK, {"tool": "glob", "input": {"pattern": "*"}}]}, {"text": "SQLite then"})
        self.send("set it up")
        question = self.wait_for({"type": "question", "kind": "ask", "choices": ["answer", "no"]})
        self.wait_for({"type": "tool_result", "tool": "glob"})  # goes on while the question is open
        self.assertEqual(self.about()["question"], question["question"])
        for wrong in ({"choice": "once"}, {"choice": "answer"}, {"choice": "answer", "answers": [{"selected": ["Oracle"]}]},
                      {"choice": "answer", "answers": []}, {"choice": "answer", "answers": "SQLite"},
                      {"choice": "answer", "answers": [{"selected": ["SQLite", "Postgres"]}]}):
            self.answer(question, status=400, **wrong)
        self.answer(question, "answer", answers=[{"selected": ["SQLite"], "text": "in memory"}])
        self.answer(question, "answer", status=404, text="again")
        self.wait_for({"type": "run_end", "reason": "done"})
        self.assertIsNone(self.about()["question"])
        self.assertIn('"SQLite"; in the user\'s words: in memory', self.result("AskUserQuestion")["content"])
        self.assertEqual(self.result("AskUserQuestion")["metadata"]["answers"],
                         [{"question": "Which database?", "selected": ["SQLite"], "text": "in memory"}])

    def test_the_circle_of_plan_mode(self):
        self.begin({"calls": [ENTER]}, {"calls": [write("a.txt")]}, {"calls": [PLAN]}, {"calls": [PLAN]},
                   {"calls": [write("a.txt")]}, {"text": "done"})
        self.send("plan it")
        self.answer(self.wait_for({"type": "question", "kind": "plan", "plan": "1. write a.txt"}), "no", text="say why")
        question = self.wait_for({"type": "question", "kind": "plan"}, 2)
        self.assertEqual(self.about()["session"]["mode"], "plan")
        denied = self.wait_for({"type": "permission", "tool": "write"})
        self.assertEqual((denied["decision"], denied["by"]), ("deny", "mode"))
        self.assertFalse(os.path.exists(os.path.join(self.workspace.root, "a.txt")))
        self.answer(question, "approve_edits")
        self.wait_for({"type": "run_end", "reason": "done"})
        self.assertEqual(self.about()["session"]["mode"], "accept-edits")
        self.assertTrue(os.path.exists(os.path.join(self.workspace.root, "a.txt")))
        self.assertIn("say why", self.result("ExitPlanMode")["content"])
        asked = [r["body"]["messages"][-1] for r in self.workspace.model.requests() if "completions" in r["path"]]
        told = ["plan mode. You may" in json.dumps(m) for m in asked]
        self.assertEqual(told, [False, True, True, True, False, False])

    def test_a_crash_in_plan_mode(self):
        self.begin({"calls": [ENTER]}, {"calls": [PLAN]}, {"text": "done"})
        self.assertEqual(self.server.call("PATCH", f"/sessions/{self.session}", {"mode": "auto"})[0], 200)
        self.send("plan it")
        plan = self.wait_for({"type": "question", "kind": "plan"})
        self.server.end(signal.SIGKILL)
        self.restart()
        self.assertEqual(self.about()["question"], plan["question"])
        self.assertEqual(self.about()["session"]["mode"], "plan")
        self.answer(plan, "approve")
        self.wait_for({"type": "run_end", "reason": "done", "run": plan["run"]})
        self.assertEqual(self.about()["session"]["mode"], "auto")

    def test_a_question_survives_the_end_of_the_program(self):
        self.begin({"calls": [ASK]}, {"text": "here again"})
        self.send("ask me")
        question = self.wait_for({"type": "question"})
        self.assertEqual(self.server.end(), 0)
        self.restart()
        self.assertEqual(self.about()["question"], question["question"])
        self.answer(question, "answer", text="SQLite")
        self.wait_for({"type": "tool_result", "content": {"$has": "SQLite"}})
        self.wait_for({"type": "run_end", "reason": "done", "run": question["run"]})
        self.assertIsNone(self.about()["question"])

    def test_tasks_and_notes(self):
        self.begin({"calls": [TODO, {"tool": "Brief", "input": {"message": "Halfway."}}]}, {"text": "more"},
                   {"calls": [{"tool": "TodoWrite", "input": {"todos": []}}]}, {"text": "done"})
        self.send("work")
        self.wait_for({"type": "todo", "todos": TODO["input"]["todos"]})
        self.wait_for({"type": "note", "text": "Halfway.", "status": "normal", "attachments": []})
        self.wait_for({"type": "run_end", "reason": "done"})
        self.assertEqual(self.about()["todos"], TODO["input"]["todos"])
        self.assertEqual(self.server.end(), 0)
        self.restart()
        self.assertEqual(self.about()["todos"], TODO["input"]["todos"])
        self.send("clear")
        self.wait_for({"type": "run_end", "reason": "done"}, 2)
        self.assertEqual(self.about()["todos"], [])

    def test_skill(self):
        folder = os.path.join(self.workspace.root, ".claude", "skills", "notes")
        os.makedirs(folder)
        with open(os.path.join(folder, "SKILL.md"), "w") as file:
            file.write("---\nname: notes\ndescription: Writes release notes\n---\nBe brief about $ARGUMENTS.\n")
        self.begin({"calls": [{"tool": "Skill", "input": {"name": "notes", "args": "v2"}}]}, {"text": "done"})
        self.send("notes for v2")
        self.answer(self.wait_for({"type": "question", "kind": "trust", "skill": "notes"}), "approve")
        self.wait_for({"type": "run_end", "reason": "done"})
        self.assertIn("Be brief about v2.", self.result("Skill")["content"])
        asked = json.dumps(self.workspace.model.requests()[0]["body"])
        self.assertIn("- notes: (of the project;", asked)
        self.assertNotIn("Writes release notes", asked)

    def wait_for_tools(self):
        """The server looks into the folder behind its start."""
        give_up = time.monotonic() + PATIENCE
        while not any(t["name"] == "thing_54" for t in self.server.call("GET", "/tools")[1]["tools"]):
            self.assertLess(time.monotonic(), give_up, "the tools did not come")
            time.sleep(0.01)

    def test_more_than_fifty_tools(self):
        """Programs from a folder; only their names are told until ToolSearch has loaded them."""
        folder = os.path.join(self.workspace.state, "tools")
        os.makedirs(folder, exist_ok=True)
        code = bytes([0, 0x0B])  # the smallest command module: a memory, and _start that returns
        module = (b"\0asm\1\0\0\0" + bytes([1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 5, 3, 1, 0, 1, 7, 0x13, 2, 6]) + b"memory" +
                  bytes([2, 0, 6]) + b"_start" + bytes([0, 0, 10, len(code) + 2, 1, len(code)]) + code)
        for i in range(55):
            with open(os.path.join(folder, f"thing_{i:02}.wasm"), "wb") as file:
                file.write(module)
            with open(os.path.join(folder, f"thing_{i:02}.json"), "w") as file:
                json.dump({"name": f"thing_{i:02}", "description": "Sends a letter" if i == 42 else "Does something",
                           "permission_level": "read_only", "input_schema": {"type": "object"}}, file)
        self.begin({"calls": [{"tool": "ToolSearch", "input": {"query": "letter"}}]},
                   {"calls": [{"tool": "thing_42", "input": {}}]}, {"text": "done"}, {"text": "again"})
        self.wait_for_tools()
        self.send("send it")
        self.wait_for({"type": "run_end", "reason": "done"})
        self.wait_for({"type": "tools_loaded", "tools": ["thing_42"]})
        self.assertFalse(self.result("thing_42")["is_error"])
        self.assertEqual(self.server.end(), 0)
        self.restart()
        self.wait_for_tools()
        self.send("again")
        self.wait_for({"type": "run_end", "reason": "done"}, 2)
        lists = [[t["function"]["name"] for t in r["body"]["tools"]] for r in self.workspace.model.requests()
                 if "completions" in r["path"]]
        self.assertNotIn("thing_42", lists[0])
        for later in lists[1:]:
            self.assertEqual(later, lists[0] + ["thing_42"])  # stable order: what is loaded comes behind
        self.assertIn("- thing_07: Does something", json.dumps(self.workspace.model.requests()[0]["body"]))


class Pages(unittest.TestCase):
    """Several pages of one session: each hears the question, one answers, a reload finds it again."""

    def test_question_in_every_page(self):
        with client.Server() as server:
            model = Model(server.folder.name, {"turns": [{"calls": [TWO]}, {"text": "fine"}]})
            self.addCleanup(model.close)
            provider = {"base_url": model.url, "models": [{"id": "m", "window": 32768}]}
            self.assertEqual(server.api("PUT", "/settings", {"providers": {"scripted": provider}, "model": "scripted/m"}).status, 200)
            session = server.api("POST", "/sessions", {}).json["id"]

            def heard(ws, kind):
                return ws.hear_until(lambda m: m.get("event", {}).get("type") == kind)[-1]["event"]
            with server.websocket() as first, server.websocket() as second:
                for ws in (first, second):
                    ws.say(op="subscribe", session=session)
                first.say(op="send", session=session, text="go")
                question = heard(first, "question")
                self.assertEqual(heard(second, "question"), question)
                second.say(op="answer", session=session, question=question["question"], choice="approve", ref="a")
                self.assertEqual(second.hear_until(lambda m: m.get("ref") == "a")[-1]["code"], "invalid")
                with server.websocket() as reloaded:  # and the first page is gone
                    first.socket.close()
                    reloaded.say(op="subscribe", session=session)
                    self.assertEqual(heard(reloaded, "question"), question)
                    reloaded.say(op="answer", session=session, question=question["question"], choice="answer",
                                 answers=[{"selected": ["a", "c"]}, {"text": "because"}], ref="b")
                    answer = heard(reloaded, "answer")
                    self.assertEqual(heard(second, "answer"), answer)
                    self.assertEqual(answer["answers"], [{"selected": ["a", "c"]}, {"text": "because"}])
                    result = heard(reloaded, "tool_result")
                    self.assertIn('"a", "c"\nWhy?\nAnswer: because', result["content"])


class OnTheTerminal(unittest.TestCase):
    def setUp(self):
        self.workspace = Workspace()
        self.addCleanup(self.workspace.close)

    def run_in_terminal(self, turns, *dialogue, mode="default"):
        """turns, or a whole script; dialogue: what is waited for, and what is typed then."""
        self.workspace.start_model(turns if isinstance(turns, dict) else {"turns": turns})
        pid, terminal = pty.fork()
        if pid == 0:
            env = dict(self.workspace.environment(), NO_COLOR="1")
            os.execve(BINARY, [BINARY, "run", "--workspace-dir", self.workspace.path, "--model", "scripted/m", "--mode", mode, "go"], env)
        self.addCleanup(os.close, terminal)
        shown, at, left, give_up = "", 0, list(dialogue), time.monotonic() + PATIENCE
        while time.monotonic() < give_up:
            if not select.select([terminal], [], [], 1)[0]:
                continue
            try:
                piece = os.read(terminal, 65536)
            except OSError:
                break
            if not piece:
                break
            shown += piece.decode(errors="replace").replace("\r\n", "\n")
            if left and left[0][0] in shown[at:]:
                at = shown.index(left[0][0], at) + len(left[0][0])
                os.write(terminal, left.pop(0)[1])
        else:
            os.kill(pid, signal.SIGKILL)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown

    def answers(self):
        events = self.workspace.events(self.workspace.sessions()[0])
        return [{k: e.get(k) for k in ("choice", "text", "answers")} for e in events if e["type"] == "answer"]

    def test_a_number_several_and_words(self):
        prompts = "or your own words (empty: none): "
        code, shown = self.run_in_terminal(
            [{"calls": [ASK]}, {"calls": [TWO]}, {"calls": [ASK]}, {"text": "fine"}],
            (prompts, b"1 2\n"), (prompts, b"2\n"), (prompts, b"1, 3\n"), ("your answer (empty: none): ", b"because\n"),
            (prompts, b"\n"))
        self.assertEqual(code, 0, shown)
        self.assertIn("? Database: Which database?\n  [1] SQLite – One file\n  [2] Postgres\n", shown)
        self.assertIn("one number, please", shown)
        self.assertEqual(self.answers(), [
            {"choice": "answer", "text": "", "answers": [{"selected": ["Postgres"]}]},
            {"choice": "answer", "text": "", "answers": [{"selected": ["a", "c"]}, {"text": "because"}]},
            {"choice": "no", "text": "", "answers": None}])

    def test_plan(self):
        prompt = "or say what to change: "
        code, shown = self.run_in_terminal([{"calls": [TODO]}, {"calls": [PLAN]}, {"calls": [PLAN]}, {"text": "fine"}],
                                           (prompt, b"smaller steps\n"), (prompt, b"2\n"), mode="plan")
        self.assertEqual(code, 0, shown)
        self.assertIn("☑ read\n▸ writing\n", shown)
        self.assertIn("1. write a.txt\n? Approve this plan?", shown)
        self.assertIn("mode accept-edits", shown)
        self.assertEqual(self.answers(), [{"choice": "no", "text": "smaller steps", "answers": None},
                                          {"choice": "approve_edits", "text": "", "answers": None}])

    def test_an_executor_asks(self):
        script = {"turns": [{"calls": [{"tool": "Agent", "input": {"description": "the files", "prompt": "one: write"}}]}, {"text": "fine"}],
                  "when": [{"contains": '"content":"one: write', "turns": [{"calls": [write("a.txt")]}, {"text": "wrote"}]}]}
        code, shown = self.run_in_terminal(script, ("[", b"1\n"))
        self.assertEqual(code, 0, shown)
        self.assertIn("e1 asks (the files):", shown)
        self.assertTrue(os.path.exists(os.path.join(self.workspace.root, "a.txt")), shown)
        self.assertRegex(shown, r"◂ e1 the files … done")

    def test_ctrl_c_at_a_question(self):
        code, shown = self.run_in_terminal([{"calls": [ASK]}, {"text": "fine"}], ("(empty: none): ", b"\x03"))
        self.assertEqual(code, 130, shown)
        self.assertEqual(self.workspace.events(self.workspace.sessions()[0])[-1]["reason"], "stopped")


class ToolsOfServers(unittest.TestCase):
    def test_mcp_tools_are_found_and_loaded(self):
        workspace = Workspace()
        self.addCleanup(workspace.close)
        workspace.settings = {"mcpServers": {"fake": {"command": sys.executable, "args": [os.path.join(HERE, "..", "peers", "mcp", "fake.py")]}},
                              "defer_tools": {"over_tools": 3}}
        workspace.start_model({"turns": [{"calls": [{"tool": "ToolSearch", "input": {"query": "says text back", "max_results": 1}}]},
                                         {"calls": [{"tool": "mcp__fake__echo", "input": {"text": "hello"}}]}, {"text": "done"}]})
        run = Run(workspace, "go", "--yes", "execute")
        self.assertEqual(run.finish(), 0, run.error)
        results = {e["tool"]: e for e in run.seen if e["type"] == "tool_result"}
        self.assertEqual(results["mcp__fake__echo"]["content"], "hello", results)
        self.assertEqual([e["tools"] for e in run.seen if e["type"] == "tools_loaded"], [["mcp__fake__echo"]])
        lists = [[t["function"]["name"] for t in r["body"]["tools"]] for r in workspace.model.requests() if "completions" in r["path"]]
        self.assertFalse([name for name in lists[0] if name.startswith("mcp__fake")])
        self.assertEqual(lists[1], lists[0] + ["mcp__fake__echo"])


class Headless(unittest.TestCase):
    def test_nobody_is_asked(self):
        workspace = Workspace()
        self.addCleanup(workspace.close)
        workspace.start_model({"turns": [{"calls": [ASK, PLAN]}, {"text": "I could not ask."}]})
        run = Run(workspace, "go", "--mode", "plan")
        self.assertEqual(run.finish(), 0, run.error)
        results = {e["tool"]: e for e in run.seen if e["type"] == "tool_result"}
        for tool in ("AskUserQuestion", "ExitPlanMode"):
            self.assertTrue(results[tool]["is_error"])
            self.assertIn("Nobody can be asked", results[tool]["content"])
        self.assertFalse([e for e in run.seen if e["type"] == "question"])


if __name__ == "__main__":
    unittest.main()
