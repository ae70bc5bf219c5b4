#!/usr/bin/env python3
"""Worktrees through the server, its API and the command line: an executor works in one, and what becomes of it.
BOXAGNTS=path/to/boxagnts SCRIPTED_ENDPOINT=path/to/scripted_endpoint python3 tests/flow/test_worktrees.py"""
import json
import os
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from boxagnts import Conversation, Server  # noqa: E402


def agent(name, **more):
    return {"tool": "Agent", "input": {"description": name, "prompt": name + ": do it", "isolation": "worktree", **more}}


def write(path, content):
    return {"calls": [{"tool": "write", "input": {"file_path": path, "content": content}}]}


class Worktrees(Conversation):
    def repository(self):
        with open(os.path.join(self.workspace.root, "a.txt"), "w") as file:
            file.write("one\ntwo\n")
        self.git("init", "-q", "-b", "main")
        self.git("add", "-A")
        self.git("commit", "-qm", "first")

    def git(self, *args):
        return subprocess.run(["git", "-c", "user.name=n", "-c", "user.email=e", *args], cwd=self.workspace.root, capture_output=True,
                              text=True, check=True).stdout

    def manage(self, turns, executors):
        whens = [{"contains": f'"content":"{name}: do it', "turns": its} for name, its in executors.items()]
        self.workspace.start_model({"turns": turns, "when": whens})
        self.server = Server(self.workspace)
        self.session = self.server.call("POST", "/sessions", {"model": "scripted/m", "mode": "auto"})[1]["id"]
        self.send("go")
        self.wait_for({"type": "run_end"})

    def trees(self):
        return {t["executor"]: t for t in self.server.call("GET", "/worktrees")[1]["worktrees"]}

    def tree_of(self, name):
        return self.trees()[self.wait_for({"type": "executor", "description": name})["executor"]]

    def post(self, tree, what):
        return self.server.call("POST", f"/worktrees/{tree['id']}/{what}")

    def command(self, *args):
        process = self.workspace.command("worktree", *args, "--workspace-dir", self.workspace.path)
        out, err = process.communicate()
        return process.returncode, out, err

    def root_file(self, name):
        path = os.path.join(self.workspace.root, name)
        if not os.path.exists(path):
            return None
        with open(path) as file:
            return file.read()

    def test_the_api(self):
        self.repository()
        parts = [agent(name) for name in "xyz"]
        look = {"calls": [{"tool": "read", "input": {"file_path": "/a.txt"}}]}
        works = {name: [look, write("/a.txt", f"one\n{name}\n"), write(f"/{name}.txt", "new\n"), {"text": "done"}] for name in "xyz"}
        works["z"] = [{"text": "nothing to do"}]
        self.manage([{"calls": parts}, {"text": "reported"}], works)
        x, y = (self.tree_of(name) for name in "xy")
        self.assertEqual(len(self.trees()), 2)  # nothing is left of one in which nothing was changed
        self.assertEqual([(t["state"], t["files"], t["insertions"], t["deletions"]) for t in (x, y)], [("finished", 2, 2, 1)] * 2)
        self.assertEqual(x["branch"], "boxagnts/" + x["id"])
        self.assertEqual((x["into"], x["uncommitted"]), ("main", 0))
        self.assertIsNone(self.root_file("x.txt"))
        status, diff = self.server.call("GET", f"/worktrees/{x['id']}/diff")
        self.assertEqual((status, diff["cut"]), (200, False))
        self.assertIn("-two\n+x\n", diff["diff"])
        self.assertEqual(self.server.call("GET", f"/worktrees/{x['executor']}/diff"), (status, diff))
        self.assertEqual(self.post(x, "merge"), (200, {"state": "merged", "conflicts": []}))
        self.assertEqual(self.root_file("a.txt"), "one\nx\n")
        status, answer = self.post(y, "merge")
        self.assertEqual((status, answer["state"], answer["conflicts"]), (200, "conflict", ["a.txt"]))
        self.assertIn("nothing was merged", answer["problem"])
        self.assertEqual(self.git("status", "--porcelain"), "")
        self.assertEqual(self.tree_of("y")["state"], "conflict")
        self.assertEqual(self.post(y, "keep"), (200, {"state": "kept", "conflicts": []}))
        self.assertIn("boxagnts/" + y["id"], self.git("branch"))
        self.assertEqual(sorted(t["state"] for t in self.trees().values()), ["kept", "merged"])
        self.assertEqual(self.git("branch", "--format=%(refname:short)").split(), ["boxagnts/" + y["id"], "main"])
        self.assertEqual(self.post(y, "discard"), (200, {"state": "discarded", "conflicts": []}))
        self.assertEqual(self.post(y, "discard")[0], 404)
        self.assertEqual(self.git("branch", "--format=%(refname:short)").split(), ["main"])

    def test_who_looks_changes_nothing(self):
        self.repository()
        self.manage([{"calls": [agent("x")]}, {"text": "reported"}], {"x": [write("/x.txt", "new\n"), {"text": "done"}]})
        tree = self.tree_of("x")
        self.assertEqual(tree["state"], "finished")
        session = tree["executor"]
        self.assertEqual(self.server.call("GET", f"/sessions/{session}/context")[0], 200)
        self.assertEqual(self.tree_of("x")["state"], "finished")
        self.assertEqual(self.server.call("POST", "/permit/test", {"session": session, "tool": "read", "input": {"file_path": "/a.txt"}})[0], 200)
        self.assertEqual(self.tree_of("x")["state"], "finished")
        status, body = self.server.call("POST", f"/sessions/{session}/messages", {"text": "/no-such-skill", "budget": {"money": 1}})
        self.assertGreaterEqual(status, 400, body)
        self.assertEqual(self.tree_of("x")["state"], "finished")
        self.assertEqual(self.post(tree, "merge")[1]["state"], "merged")
        self.assertEqual(self.root_file("x.txt"), "new\n")

    def test_the_command_line_beside_a_server(self):
        self.repository()
        self.manage([{"calls": [agent("x")]}, {"text": "reported"}], {"x": [write("/x.txt", "new\n"), {"text": "done"}]})
        with open(os.path.join(self.workspace.root, "x.txt"), "w") as file:
            file.write("mine\n")
        tree = self.tree_of("x")
        self.assertIn(f"{tree['id']}  finished  1 file +1 -0", self.command("list")[1])
        self.assertIn("+new", self.command("diff", tree["branch"])[1])
        code, out, _ = self.command("merge", tree["id"])
        self.assertEqual(code, 1)
        self.assertIn("not committed", out)
        self.assertIn("  x.txt\n", out)
        self.assertEqual(self.root_file("x.txt"), "mine\n")
        os.unlink(os.path.join(self.workspace.root, "x.txt"))
        self.assertEqual(self.command("merge", tree["executor"])[:2], (0, "merged\n"))
        self.assertEqual(self.root_file("x.txt"), "new\n")
        self.assertIn("1 taken away", self.command("clean")[1])
        self.assertEqual(json.loads(self.command("list", "--json")[1]), [])
        self.assertEqual(self.command("merge", "nothing")[0], 1)

    def test_a_run_decides_about_its_own_executors_only(self):
        """Also after a restart: the same session may, another may not."""
        self.repository()
        self.manage([{"calls": [agent("x")]}, {"text": "reported"}], {"x": [write("/x.txt", "new\n"), {"text": "done"}]})
        tree, first = self.tree_of("x"), self.session
        self.server.end()
        self.workspace.model.close()
        calls = [{"tool": "Worktree", "input": {"id": tree[key], "action": action}} for key, action in
                 (("id", "diff"), ("branch", "discard"), ("executor", "merge"))]
        self.workspace.start_model({"when": [{"contains": "not yours", "turns": [{"calls": calls}, {"text": "ended"}]},
                                             {"contains": "take it over", "turns": [{}, {}, {"calls": calls[2:]}, {"text": "ended"}]}]})
        self.restart()
        self.session = self.server.call("POST", "/sessions", {"model": "scripted/m", "mode": "auto"})[1]["id"]
        self.send("not yours")
        self.wait_for({"type": "run_end"})
        results = [e for e in self.workspace.events(self.session) if e["type"] == "tool_result"]
        self.assertEqual([e["is_error"] for e in results], [True] * 3)
        for result in results:
            self.assertIn("of an executor of yours", json.dumps(result["content"]))
        self.assertEqual(self.trees()[tree["executor"]]["state"], "finished")
        self.session = first
        self.send("take it over")
        merged = self.wait_for({"type": "tool_result", "tool": "Worktree"})
        self.assertIn("Merged into main: 1 file, +1 -0", json.dumps(merged["content"]))
        self.assertEqual(self.root_file("x.txt"), "new\n")

    def test_a_root_that_is_no_repository(self):
        self.manage([{"calls": [agent("x")]}, {"text": "reported"}], {"x": [{"text": "never asked"}]})
        result = self.wait_for({"type": "tool_result", "tool": "Agent"})
        self.assertTrue(result["is_error"])
        self.assertIn("git init", json.dumps(result["content"]))
        self.assertEqual(self.trees(), {})

    def test_asked_for_later_it_keeps_its_work(self):
        """In a later run its manager looks at the result: what it wrote is still to be decided upon."""
        self.repository()
        look = {"calls": [{"tool": "AgentOutput", "input": {"id": "e1"}}]}
        self.manage([{"calls": [agent("x")]}, {"text": "reported"}, look, {"text": "looked"}], {"x": [write("/x.txt", "new\n"), {"text": "done"}]})
        self.send("what did e1 do?")
        self.wait_for({"type": "run_end", "reason": "done"}, 2)
        self.assertIn("takes it over", self.wait_for({"type": "tool_result", "tool": "AgentOutput"})["content"])
        self.assertEqual([(t["state"], t["files"]) for t in self.trees().values()], [("finished", 1)])

    def test_killed_in_the_middle(self):
        """The executor is at work when the server is killed: what it wrote is on its branch after the next start."""
        self.repository()
        self.workspace.start_model({"turns": [{"calls": [agent("x")]}, {"text": "reported"}],
                                    "when": [{"contains": '"content":"x: do it', "turns": [write("/x.txt", "new\n"), {"text": "done", "delay_ms": 600000}]}]})
        self.server = Server(self.workspace)
        self.session = self.server.call("POST", "/sessions", {"model": "scripted/m", "mode": "auto"})[1]["id"]
        self.send("go")
        own = self.wait_for({"type": "executor", "description": "x"})["executor"]
        self.workspace.wait_for(own, {"type": "tool_result", "tool": "write"})
        self.assertEqual(self.trees()[own]["state"], "active")
        self.assertEqual(self.post(self.trees()[own], "merge")[0], 409)
        self.assertEqual(self.command("merge", own)[0], 1)  # at work: the command line says so, too
        self.server.end(signal.SIGKILL)
        self.restart()
        self.assertEqual([(t["state"], t["files"]) for t in self.trees().values()], [("dead", 1)])
        self.assertEqual(self.post(self.trees()[own], "merge")[1]["state"], "merged")
        self.assertEqual(self.root_file("x.txt"), "new\n")


if __name__ == "__main__":
    unittest.main()
