#!/usr/bin/env python3
"""Runs of the real binary against a scripted model: each file of tests/cases/run/ is one conversation.

    {"about": what it proves, "settings": {…}, "files": {name: text}, "links": {name: target}, "script": for the model,
     "steps": [{"send": text, "args": […], "exit": 0, "at": pattern, "then": "stop"|"kill"}],
     "expect": [patterns of events of the session's file, in this order, others may lie between],
     "never": [patterns of no event], "count": [[pattern, n]],
     "requests": [[index, pattern of the body's text …]], "after": {name: text or null when it must not exist}}

`at` and `then`: once an event (or a delta) like `at` is seen, the run is stopped (as by Ctrl-C) or killed (SIGKILL). All steps
but the first go on with the same session."""
import json
import os
import signal
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from boxagnts import Run, Workspace, matches  # noqa: E402

CASES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cases", "run")


class Runs(unittest.TestCase):
    maxDiff = None

    def take_step(self, workspace, step, session):
        args = list(step.get("args", [])) + (["--session", session] if session else [])
        run = Run(workspace, step["send"], *args)
        if "at" in step:
            run.wait_for(step["at"])
            run.signal(signal.SIGKILL if step["then"] == "kill" else signal.SIGINT)
        code = run.finish()
        self.assertEqual(code, -signal.SIGKILL if step.get("then") == "kill" else step.get("exit", 0), run.error)

    def check_events(self, case, events):
        rest = iter(events)
        for pattern in case.get("expect", []):
            self.assertTrue(any(matches(pattern, event) for event in rest),
                            f"no {pattern} (in this order) in\n" + "\n".join(map(json.dumps, events)))
        for pattern in case.get("never", []):
            self.assertEqual([event for event in events if matches(pattern, event)], [])
        for pattern, n in case.get("count", []):
            self.assertEqual(sum(matches(pattern, event) for event in events), n, pattern)
        self.assertEqual([event["seq"] for event in events], list(range(1, len(events) + 1)))

    def check_closed(self, events):
        """Whatever happened: every call has one result, every run one end."""
        calls = [(e["run"], c["id"]) for e in events if e["type"] == "assistant" for c in e["calls"]]
        results = [(e["run"], e["call"]) for e in events if e["type"] == "tool_result"]
        self.assertEqual(sorted(calls), sorted(results))
        self.assertEqual(sorted(e["run"] for e in events if e["type"] == "run_start"),
                         sorted(e["run"] for e in events if e["type"] == "run_end"))

    def check_after(self, case, workspace):
        for name, text in case.get("after", {}).items():
            path = os.path.join(workspace.root, name)
            if text is None:
                self.assertFalse(os.path.lexists(path), path)
            else:
                with open(path) as file:
                    self.assertEqual(file.read(), text)

    def play(self, case):
        workspace = Workspace(case.get("settings"), case.get("files"), case.get("links"))
        self.addCleanup(workspace.close)
        workspace.start_model(case["script"])
        session = None
        for step in case["steps"]:
            self.take_step(workspace, step, session)
            session = session or workspace.sessions()[0]
        self.assertEqual(workspace.sessions(), [session])
        events = workspace.events(session)
        self.check_events(case, events)
        self.check_closed(events)
        self.check_after(case, workspace)
        requests = [request["body"] for request in workspace.model.requests()]
        for index, *patterns in case.get("requests", []):
            for pattern in patterns:
                self.assertTrue(matches(pattern, requests[index]), (pattern, requests[index]))


def add_cases():
    for name in sorted(os.listdir(CASES)):
        with open(os.path.join(CASES, name)) as file:
            case = json.load(file)

        def test(self, case=case):
            self.play(case)
        test.__doc__ = case["about"]
        setattr(Runs, "test_" + name[:-5], test)


add_cases()

if __name__ == "__main__":
    unittest.main(verbosity=2)
