#!/usr/bin/env python3
"""Questions of executors and a restart of the program: they stay open, and the managers that wait for them go on, on all levels."""
import json
import os
import re
import signal
import socket
import subprocess
import sys
import types
import unittest
from unittest import mock

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "attack"))
from boxagnts import PATIENCE  # noqa: E402
from client import WebSocket  # noqa: E402
from test_executors import CAN_UNWIRE, Managed, agent, call, read  # noqa: E402


def write(name):
    return {"calls": [call("write", file_path=f"/{name}/new", content="x")]}


def asks(name):
    return [write(name), {"text": f"{name} wrote"}]


REPORTED = {"text": "reported"}


class Restarted(Managed):
    """`ends`: how the program ends each time; None: in order."""

    def ask(self, turns, executors, who, **how):
        """The sessions and questions of these executors, once all of them ask; a session in mode default."""
        self.manage(turns, executors, mode="default", **how)
        self.send("go")
        return {name: self.asked(name, above) for name, above in who.items()}

    def asked(self, name, above=None):
        parent = self.wait_for({"type": "executor", "description": above})["executor"] if above else self.session
        own = self.workspace.wait_for(parent, {"type": "executor", "description": name})["executor"]
        return own, self.workspace.wait_for(own, {"type": "question"})

    def again(self, *ends):
        for number in ends or (signal.SIGKILL,):
            if number:
                self.server.end(number)
            else:
                self.assertEqual(self.server.end(), 0)
            self.restart()

    def reply(self, asked, choice="once", status=202, **more):
        body = dict(question=asked[1]["question"], choice=choice, **more)
        self.assertEqual(self.server.call("POST", f"/sessions/{asked[0]}/answers", body)[0], status)


    def still_asked(self, *all_asked):
        for own, question in all_asked:
            now = self.server.call("GET", f"/sessions/{own}")[1]
            self.assertEqual((now["question"], now["session"]["waiting"]), (question["question"], True))
        waiting = {e["session"] for e in self.executors() if e["waiting"]}
        self.assertEqual(waiting, {own for own, _ in all_asked})

    def written(self, name):
        return os.path.exists(os.path.join(self.workspace.root, name, "new"))

    def ended(self, session, reason="done"):
        """Its events, whose only run has one end."""
        self.workspace.wait_for(session, {"type": "run_end", "reason": reason})
        events = self.workspace.events(session)
        self.assertEqual([sum(e["type"] == t for e in events) for t in ("run_start", "run_end")], [1, 1])
        return events

    def one_result_each(self, events):
        calls = [c["id"] for e in events if e["type"] == "assistant" for c in e["calls"]]
        self.assertEqual(sorted(calls), sorted(e["call"] for e in events if e["type"] == "tool_result"))

    def states(self):
        return {e["description"]: (e["state"], e["reason"]) for e in self.executors()}


class Questions(Restarted):
    def test_it_survives_each_end_of_the_program(self):
        asked = self.ask([{"calls": [agent("a")]}, REPORTED], {"a": asks("a")}, {"a": None})["a"]
        self.again(signal.SIGKILL, None, signal.SIGKILL, None)
        self.still_asked(asked)
        self.assertFalse(self.written("a"))
        self.reply(asked)
        events = self.ended(self.session)
        self.assertTrue(self.written("a"))
        self.reply(asked, status=404)
        self.one_result_each(events)
        result = self.result("a")
        self.assertIn("a wrote", result["content"])
        self.assertEqual((result["is_error"], result["metadata"]["state"], result["metadata"]["calls"]), (False, "done", 1))
        self.assertEqual([e["state"] for e in events if e["type"] == "executor"], ["queued", "running", "done"])
        own = self.ended(asked[0])
        self.one_result_each(own)
        self.assertEqual([e["question"] for e in own if e["type"] in ("question", "answer")], [asked[1]["question"]] * 2)
        self.assertEqual(len(self.workspace.model.requests()), 4)  # nobody was asked anything twice

    def test_who_watches_the_manager_hears_of_it(self):
        """After the restart too: the page's sign, and the question to be answered there."""
        asked = self.ask([{"calls": [agent("a")]}, REPORTED], {"a": asks("a")}, {"a": None})["a"]
        self.again()
        port = int(re.search(r":(\d+)/", self.server.url)[1])
        address = types.SimpleNamespace(host=f"127.0.0.1:{port}", connect=lambda: socket.create_connection(("127.0.0.1", port), PATIENCE))
        with WebSocket(address, [("Authorization", "Bearer " + self.server.token)], "/ws") as ws:
            ws.say(op="subscribe", session=self.session, **{"from": 1})
            heard = {"type": None}
            while heard["type"] != "executor_question":
                heard = ws.hear().get("event", heard)
        self.assertEqual((heard["executor"], heard["name"], heard["description"]), (asked[0], "e1", "a"))
        self.assertEqual(heard["question"]["question"], asked[1]["question"])

    def test_no(self):
        asked = self.ask([{"calls": [agent("a")]}, REPORTED], {"a": asks("a")}, {"a": None})["a"]
        self.again()
        self.reply(asked, "no", text="not that one")
        self.ended(self.session)
        self.assertFalse(self.written("a"))
        self.assertIn("not that one", self.result("a")["content"])

    def test_what_failed_before_is_told(self):
        works = {"a": [read("/nowhere"), *asks("a")]}
        asked = self.ask([{"calls": [agent("a")]}, REPORTED], works, {"a": None})["a"]
        self.again()
        self.reply(asked)
        self.ended(self.session)
        self.assertRegex(self.result("a")["content"], r"3 turns, 2 calls, .* 1 of its calls failed:\nread: .*nowhere")

    def test_always(self):
        """What it is given counts in the workspace from here on, for the manager too."""
        asked = self.ask([{"calls": [agent("a")]}, write("a"), REPORTED], {"a": asks("a")}, {"a": None})["a"]
        self.again(None)
        self.reply(asked, "always")
        self.one_result_each(self.ended(self.session))
        self.assertEqual([e for e in self.workspace.events(self.session) if e["type"] == "question"], [])

    def test_two_at_once(self):
        both = self.ask([{"calls": [agent("a"), agent("b"), agent("c")]}, REPORTED], {"a": asks("a"), "b": asks("b"), "c": [{"text": "c ended"}]},
                        {"a": None, "b": None})
        self.wait_for({"type": "tool_result", "content": {"$has": "c ended"}})
        self.again()
        self.still_asked(*both.values())
        self.reply(both["b"], "no")
        self.wait_for({"type": "executor", "description": "b", "state": "done"})
        self.again(None)  # one is answered, the manager waits for the other
        self.still_asked(both["a"])
        self.reply(both["a"])
        self.one_result_each(self.ended(self.session))
        self.assertEqual((self.written("a"), self.written("b")), (True, False))

    def test_the_manager_asks_too(self):
        asked = self.ask([{"calls": [agent("a"), *write("b")["calls"]]}, REPORTED], {"a": asks("a")}, {"a": None})["a"]
        own = self.wait_for({"type": "question"})
        self.again()
        self.reply(asked)
        self.wait_for({"type": "executor", "description": "a", "state": "done"})
        self.again()
        self.answer(own, "once")
        self.one_result_each(self.ended(self.session))
        self.assertTrue(self.written("a") and self.written("b"))
        self.assertIn("a wrote", self.result("a")["content"])

    def test_on_two_levels(self):
        asked = self.ask([{"calls": [agent("a")]}, REPORTED], {"a": [{"calls": [agent("b")]}, {"text": "a ended"}], "b": asks("b")},
                         {"b": "a"})["b"]
        self.again(signal.SIGKILL, None)
        self.still_asked(asked)
        self.reply(asked)
        self.one_result_each(self.ended(self.session))
        self.assertTrue(self.written("b"))
        middle = self.own("a")
        self.assertIn("b wrote", next(e for e in self.ended(middle) if e["type"] == "tool_result")["content"])
        self.assertIn("a ended", self.result("a")["content"])
        self.assertEqual([(e["description"], e["depth"], e["state"]) for e in self.executors()], [("a", 1, "done"), ("b", 2, "done")])

    def test_in_the_background(self):
        """The manager had said its word, and waited."""
        asked = self.ask([{"calls": [agent("a", background=True)]}, {"text": "I wait"}, REPORTED], {"a": asks("a")}, {"a": None})["a"]
        self.wait_for({"type": "assistant", "text": "I wait"})
        self.again(None, signal.SIGKILL)
        self.assertEqual(len(self.workspace.model.requests()), 3)  # it does not say it again
        self.reply(asked)
        self.ended(self.session)
        self.assertIn("a wrote", self.wait_for({"type": "user", "executor": asked[0]})["text"])
        self.wait_for({"type": "assistant", "text": "reported"})

    def cut_in_a_reply(self, *ends):
        """The manager's model was speaking: it is asked anew, when there is an answer."""
        cut = {"tries": [{"text": "never " * 50, "forever": True}, {"text": "I wait"}]}
        asked = self.ask([{"calls": [agent("a", background=True)]}, cut, REPORTED], {"a": asks("a")}, {"a": None})["a"]
        self.until(lambda: len(self.workspace.model.requests()) >= 3, "the model is asked")
        self.again(*ends)
        self.reply(asked)
        said = [e["text"] for e in self.ended(self.session) if e["type"] == "assistant"]
        self.assertEqual(said, ["", "I wait", "reported"])
        self.wait_for({"type": "user", "executor": asked[0]})

    def test_in_the_middle_of_a_reply(self):
        self.cut_in_a_reply(signal.SIGKILL)

    def test_in_the_middle_of_a_reply_in_order(self):
        self.cut_in_a_reply(None)

    def test_output_that_is_waited_for(self):
        turns = [{"calls": [agent("a", background=True)]}, {"calls": [call("AgentOutput", id="e1", wait=True)]}, REPORTED]
        asked = self.ask(turns, {"a": asks("a")}, {"a": None})["a"]
        self.wait_for({"type": "tool_start", "tool": "AgentOutput"})
        self.again(None, signal.SIGKILL)
        self.reply(asked)
        events = self.ended(self.session)
        self.one_result_each(events)
        self.assertEqual(sum(e["type"] == "tool_start" for e in events), 2)
        self.assertIn("a wrote", self.wait_for({"type": "tool_result", "tool": "AgentOutput"})["content"])

    def test_a_message_to_the_manager_meanwhile(self):
        asked = self.ask([{"calls": [agent("a", background=True)]}, {"text": "I wait"}, {"text": "I hear"}, REPORTED], {"a": asks("a")},
                         {"a": None})["a"]
        self.wait_for({"type": "assistant", "text": "I wait"})
        self.again()
        self.send("how far are you?")
        self.wait_for({"type": "assistant", "text": "I hear"})
        self.reply(asked)
        self.ended(self.session)


class Others(Restarted):
    """Those that do not ask, of a manager that goes on."""

    def with_another(self, *ends, **how):
        turns = [{"calls": [agent("a"), agent("b", **how)]}, REPORTED, {"text": "reported again"}]
        asked = self.ask(turns, {"a": asks("a"), "b": [read("/b/b.txt"), {"text": "never", "delay_ms": 50000}]}, {"a": None})["a"]
        self.workspace.wait_for(self.own("b"), {"type": "tool_result"})
        self.again(*ends)
        self.assertEqual(self.states(), {"a": ("running", None), "b": ("stopped", "interrupted")})
        self.workspace.wait_for(self.own("b"), {"type": "run_end", "reason": "interrupted"})
        self.reply(asked)
        self.one_result_each(self.ended(self.session))
        self.assertIn("a wrote", self.result("a")["content"])
        return self.own("b")

    def test_one_that_worked(self):
        self.with_another(signal.SIGKILL)
        self.assertRegex(self.result("b")["content"], r'Executor e\d, "b", was stopped: the program ended while it worked')

    def test_one_that_worked_in_order(self):
        self.with_another(None, signal.SIGKILL)
        self.assertRegex(self.result("b")["content"], r'Executor e\d, "b", was stopped: the program ended while it worked')

    def test_one_in_the_background(self):
        own = self.with_another(signal.SIGKILL, background=True)
        self.assertRegex(self.wait_for({"type": "user", "executor": own})["text"], r'"b", was stopped: the program ended')

    def two_in_the_background(self, b, *turns):
        """b begins first, and a asks while its manager waits for it."""
        start = [{"calls": [agent("b", background=True)]}, {"calls": [agent("a")]}]
        return self.ask(start + list(turns), {"a": asks("a"), "b": b}, {"a": None})["a"]

    def test_one_that_had_ended(self):
        """Before the manager could be told of it."""
        asked = self.two_in_the_background([{"calls": [call("bash", command="until [ -e /go ]; do sleep 0.1; done")]}, {"text": "b ended"}], REPORTED)
        own = self.own("b")
        self.workspace.wait_for(own, {"type": "question"})
        self.again()  # and b asks, too
        self.reply((own, self.workspace.wait_for(own, {"type": "question"})), "no")
        self.wait_for({"type": "executor", "description": "b", "state": "done"})
        self.again(signal.SIGKILL, None)
        self.assertEqual([e for e in self.workspace.events(self.session) if e["type"] == "user"][1:], [])
        self.reply(asked)
        self.one_result_each(self.ended(self.session))
        self.assertIn("b ended", self.wait_for({"type": "user", "executor": own})["text"])
        self.assertEqual(sum(e.get("executor") == own for e in self.workspace.events(self.session) if e["type"] == "user"), 1)

    def test_one_that_was_cut_off_goes_on_when_it_is_told_to(self):
        works = [{"calls": [call("Sleep", seconds=300)]}, {"text": "b went on"}]
        asked = self.two_in_the_background(works, {"calls": [call("AgentSend", id="e1", text="go on")]}, {"text": "I wait"}, REPORTED)
        self.workspace.wait_for(self.own("b"), {"type": "tool_start"})
        self.again()
        self.reply(asked)
        self.one_result_each(self.ended(self.session))
        told = [e["text"] for e in self.workspace.events(self.session) if e["type"] == "user" and e.get("executor") == self.own("b")]
        self.assertEqual(["the program ended" in text for text in told], [True, False])
        self.assertIn("b went on", told[1])

    def in_the_queue(self, *ends):
        """It had not begun: it does, when there is a place."""
        self.workspace.settings["max_concurrent_executors"] = 1
        works = [{"calls": [call("Sleep", seconds=300)]}, {"text": "never"}]
        turns = [{"calls": [agent("a", background=True)]}, {"calls": [agent("b", background=True)]}, {"calls": [agent("c")]}, REPORTED]
        one = self.ask(turns, {"a": asks("a"), "b": works, "c": asks("c")}, {"a": None})["a"]
        self.workspace.wait_for(self.own("b"), {"type": "tool_start"})
        self.own("c")
        self.again(*ends)
        self.assertEqual({n: s for n, (s, _) in self.states().items()}, {"a": "running", "b": "stopped", "c": "queued"})
        self.reply(one)
        self.wait_for({"type": "executor", "description": "a", "state": "done"})
        other = self.asked("c")
        self.again(*ends)
        self.reply(other)
        self.one_result_each(self.ended(self.session))
        self.assertTrue(self.written("a") and self.written("c"))
        self.assertIn("c wrote", self.result("c")["content"])

    def test_in_the_queue(self):
        self.in_the_queue(signal.SIGKILL)

    def test_in_the_queue_in_order(self):
        self.in_the_queue(None)

    def test_what_was_spent_stays_spent(self):
        """Of the manager's budget of calls, by all of them, before the restart: there is one left."""
        turns = [{"calls": [agent("c")]}, {"calls": [agent("a")]}, REPORTED]
        self.workspace.settings["budgets"] = {"calls": 6}
        works = {"c": [read("/c/c.txt")] * 2 + [{"text": "c ended"}], "a": [write("a"), {"calls": [call("read", file_path="/a/a.txt"), call("glob", pattern="*")]}, {"text": "done"}]}
        asked = self.ask(turns, works, {"a": None})["a"]
        self.again()
        self.reply(asked)
        self.assertEqual(self.wait_for({"type": "run_end"})["reason"], "calls")
        self.assertEqual(self.states()["a"], ("limit", "calls"))
        results = [e for e in self.workspace.events(asked[0]) if e["type"] == "tool_result"]
        self.assertEqual(["budget of calls is used up" in json.dumps(r["content"]) for r in results].count(True), 1)

    def test_stop(self):
        asked = self.ask([{"calls": [agent("a")]}, REPORTED], {"a": asks("a")}, {"a": None})["a"]
        self.again()
        self.still_asked(asked)
        self.assertEqual(self.server.call("POST", f"/sessions/{self.session}/stop", {})[0], 202)
        self.one_result_each(self.ended(self.session, "stopped"))
        self.one_result_each(self.ended(asked[0], "stopped"))
        self.reply(asked, status=404)
        self.assertFalse(self.written("a"))

    def test_one_is_stopped(self):
        both = self.ask([{"calls": [agent("a"), agent("b")]}, REPORTED], {n: asks(n) for n in "ab"}, {"a": None, "b": None})
        self.again(None)
        self.assertEqual(self.server.call("POST", f"/sessions/{both['a'][0]}/stop", {})[0], 202)
        self.wait_for({"type": "executor", "description": "a", "state": "stopped"})
        self.reply(both["b"])
        self.ended(self.session)
        self.assertEqual(self.result("a")["limit"], "cancelled")

    def test_a_person_asks_in_its_session(self):
        """Its own work is done; what a person began there later goes on for the person."""
        asked = self.ask([{"calls": [agent("a")]}, REPORTED], {"a": asks("a") + [write("b"), {"text": "again"}]}, {"a": None})["a"]
        self.reply(asked)
        self.ended(self.session)
        self.assertEqual(self.server.call("POST", f"/sessions/{asked[0]}/messages", {"text": "and b"})[0], 202)
        question = self.workspace.wait_for(asked[0], {"type": "question"}, 2)
        self.again(signal.SIGKILL, None)
        self.reply((asked[0], question))
        self.workspace.wait_for(asked[0], {"type": "run_end", "reason": "done"}, 2)
        self.assertTrue(self.written("b"))


class Bounds(Restarted):
    def test_it_may_no_more_than_before(self):
        """Folders, tools and mode are those that it had; a file that says more is not believed."""
        works = {"a": [write("a"), {"calls": [call("read", file_path="/b/b.txt"), call("bash", command="cat /b/b.txt")]}, {"text": "tried"}]}
        asked = self.ask([{"calls": [agent("a", paths=["/a"], tools=["read", "write"])]}, REPORTED], works, {"a": None})["a"]
        self.again()
        self.reply(asked)
        self.ended(self.session)
        self.assertTrue(self.written("a"))
        said = [e for e in self.workspace.events(asked[0]) if e["type"] == "tool_result"]
        self.assertEqual([r["is_error"] for r in said], [False, True, True])
        self.assertNotIn("I am b", json.dumps(said))

    def test_folders_of_a_manager_that_has_only_some(self):
        """One below it cannot come back with more, whatever its session says."""
        works = {"a": [{"calls": [agent("b")]}, {"text": "a ended"}], "b": asks("a")}
        asked = self.ask([{"calls": [agent("a", paths=["/a"])]}, REPORTED], works, {"b": "a"})["b"]
        self.server.end(signal.SIGKILL)
        path = os.path.join(self.workspace.state, "sessions", asked[0] + ".jsonl")
        with open(path) as file:
            text = file.read()
        root = os.path.realpath(self.workspace.root)
        self.assertIn(f'"host":"{root}/a"', text)
        with open(path, "w") as file:
            file.write(text.replace(f'"host":"{root}/a"', f'"host":"{root}"'))
        self.restart()
        self.wait_for({"type": "run_end", "reason": "interrupted"})
        self.assertIn("not this workspace's", json.dumps(self.executors()))
        self.reply(asked, status=404)

    def test_a_rule_that_was_made_meanwhile(self):
        """The answer is kept to, but for a denial."""
        asked = self.ask([{"calls": [agent("a")]}, REPORTED], {"a": asks("a")}, {"a": None})["a"]
        self.again()
        self.assertIn(self.server.call("POST", "/grants", {"tool": "write", "verdict": "deny", "scope": "workspace"})[0], (200, 201))
        self.reply(asked)
        self.ended(self.session)
        self.assertFalse(self.written("a"))


class Faults(Restarted):
    """What cannot go on is named, nothing hangs, and the server starts."""

    def broken(self, spoil, status=404):
        """Two ask; a is spoilt between the programs. b goes on, and the manager is told of a."""
        both = self.ask([{"calls": [agent("a", paths=["/a"]), agent("b")]}, REPORTED], {n: asks(n) for n in "ab"}, {"a": None, "b": None})
        self.server.end(signal.SIGKILL)
        spoil(os.path.join(self.workspace.state, "sessions", both["a"][0] + ".jsonl"))
        self.restart()
        self.reply(both["a"], status=status)
        self.reply(both["b"])
        self.one_result_each(self.ended(self.session))
        self.assertTrue(self.written("b"))
        self.assertEqual(self.states()["a"], ("stopped", "interrupted"))
        result = self.result("a")
        self.assertTrue(result["is_error"])
        self.assertIn(next(e["name"] for e in self.executors() if e["description"] == "a"), result["content"])
        return result["content"]

    def test_its_session_is_gone(self):
        self.broken(os.remove)

    def test_its_session_is_damaged(self):
        def spoil(path):
            with open(path, "r+b") as file:
                file.write(b"\0" * 300)
        self.broken(spoil, 500)

    def test_what_it_may_do_is_damaged(self):
        def spoil(path):
            with open(path) as file:
                text = file.read()
            with open(path, "w") as file:
                file.write(text.replace('"narrows"', '"narrow"'))
        self.assertIn("cannot be read", self.broken(spoil))

    def test_its_folder_is_gone(self):
        def spoil(_):
            os.rename(os.path.join(self.workspace.root, "a"), os.path.join(self.workspace.root, "z"))
        self.assertIn("are not there any more", self.broken(spoil))

    def test_the_manager_is_gone(self):
        asked = self.ask([{"calls": [agent("a")]}, REPORTED], {"a": asks("a")}, {"a": None})["a"]
        self.server.end(signal.SIGKILL)
        os.remove(os.path.join(self.workspace.state, "sessions", self.session + ".jsonl"))
        self.restart()
        self.workspace.wait_for(asked[0], {"type": "run_end", "reason": "interrupted"})
        self.reply(asked, status=404)

    def test_the_model_is_gone(self):
        asked = self.ask([{"calls": [agent("a")]}, REPORTED], {"a": asks("a")}, {"a": None})["a"]
        self.server.end(signal.SIGKILL)
        path = os.path.join(self.workspace.state, "settings.json")
        with open(path) as file:
            settings = json.load(file)
        with open(path, "w") as file:
            json.dump(dict(settings, providers={}), file)
        self.restart()
        self.wait_for({"type": "run_end", "reason": "interrupted"})
        self.workspace.wait_for(asked[0], {"type": "run_end", "reason": "interrupted"})
        self.assertEqual(self.server.call("GET", "/system")[0], 200)

    def test_the_program_is_killed_while_it_starts(self):
        both = self.ask([{"calls": [agent("a"), agent("b")]}, REPORTED], {n: asks(n) for n in "ab"}, {"a": None, "b": None})
        self.server.end(signal.SIGKILL)
        for step in range(12):
            process = self.workspace.command("serve", "--workspace-dir", self.workspace.path, "--port", "0")
            try:
                process.wait(0.01 * step)
            except subprocess.TimeoutExpired:
                process.kill()
            process.communicate()
        self.restart()
        self.still_asked(*both.values())
        for asked in both.values():
            self.reply(asked)
        self.one_result_each(self.ended(self.session))
        self.assertTrue(self.written("a") and self.written("b"))

    @unittest.skipUnless(CAN_UNWIRE, "this build switches nothing off")
    def test_unwired(self):
        """The other position: all of it is closed."""
        asked = self.ask([{"calls": [agent("a")]}, REPORTED], {"a": asks("a")}, {"a": None})["a"]
        with mock.patch.dict(os.environ, {"BX_UNWIRE": "resume"}):
            self.again()
            self.wait_for({"type": "run_end", "reason": "interrupted"})
            self.workspace.wait_for(asked[0], {"type": "run_end", "reason": "interrupted"})
            self.reply(asked, status=404)
        self.assertIn('AgentOutput {"id":"e1"}', self.result("a")["content"])

    def test_another_program_leaves_it(self):
        """`run` beside a server that is not there works in its own session only."""
        asked = self.ask([{"calls": [agent("a")]}, REPORTED], {"a": asks("a")}, {"a": None})["a"]
        self.server.end(signal.SIGKILL)
        process = self.workspace.command("run", "--workspace-dir", self.workspace.path, "--model", "scripted/m", "hello")
        process.communicate()
        self.restart()
        self.still_asked(asked)
        self.reply(asked)
        self.ended(self.session)


class Worktree(Restarted):
    def test_its_worktree(self):
        """It has changed nothing yet: the folder is there all the same."""
        for args in (["init", "-q", "-b", "main"], ["add", "-A"], ["-c", "user.name=n", "-c", "user.email=e", "commit", "-qm", "first"]):
            subprocess.run(["git", *args], cwd=self.workspace.root, check=True, capture_output=True)
        asked = self.ask([{"calls": [agent("a", isolation="worktree")]}, REPORTED], {"a": asks("a")}, {"a": None})["a"]
        self.server.end(signal.SIGKILL)
        listed = self.workspace.command("worktree", "list", "--workspace-dir", self.workspace.path)
        self.assertIn("active", listed.communicate()[0])
        self.restart()
        self.again(None)
        self.reply(asked)
        self.ended(self.session)
        self.assertFalse(self.written("a"))
        tree, = self.server.call("GET", "/worktrees")[1]["worktrees"]
        self.assertEqual((tree["state"], tree["files"], tree["executor"]), ("finished", 1, asked[0]))
        self.assertIn("takes it over", self.result("a")["content"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
