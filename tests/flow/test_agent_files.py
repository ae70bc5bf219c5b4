#!/usr/bin/env python3
"""Agent files on the command line, and the page that hears of them. BOXAGNTS=path/to/boxagnts python3 tests/flow/test_agent_files.py"""
import json
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "attack"))
from boxagnts import Workspace  # noqa: E402
from client import Server  # noqa: E402

TEXT = "---\nname: {0}\ndescription: Of {1}\n---\nDo it.\n"


class CommandLine(unittest.TestCase):
    def setUp(self):
        self.workspace = Workspace(files={".claude/agents/mine.md": TEXT.format("mine", "the project"),
                                          ".agents/agents/sub/broken.md": "---\nname: broken\n---\nx"},
                                   links={".claude/agents/out.md": "/etc/passwd"})
        self.addCleanup(self.workspace.close)

    def run_(self, *args):
        process = self.workspace.command("agent", *args, "--workspace-dir", self.workspace.path)
        out, err = process.communicate()
        return process.returncode, out, err

    def test_list(self):
        code, out, _ = self.run_("list", "--json")
        rows = {(a["name"], a["source"]): a for a in json.loads(out)}
        self.assertEqual(code, 0)
        self.assertIn(("explore", "built in"), rows)
        self.assertIn("no description", rows["broken", "root"]["problem"])
        self.assertIn("leads out of the root", rows["out", "root"]["problem"])
        self.assertNotIn("root:", out)
        text = self.run_("list")[1]
        self.assertRegex(text, r"(?m)^mine +root +Of the project$")
        self.assertRegex(text, r"(?m)^broken +root +broken: it has no description.*\(/.agents/agents/sub/broken.md\)$")

    def test_life_of_one(self):
        code, out, _ = self.run_("new", "mine")
        path = os.path.join(self.workspace.state, "agents", "mine.md")
        self.assertEqual(code, 0)
        self.assertIn(path, out)
        self.assertEqual(self.run_("check", path)[:2], (0, "mine: ok\n"))
        self.assertEqual(self.run_("new", "mine")[0], 1)  # nothing is overwritten
        self.assertIn("Of the project", self.run_("show", "mine")[1])  # the root's is nearer
        self.assertRegex(self.run_("list")[1], r"(?m)^mine +workspace +hidden: a nearer one")
        self.assertEqual(self.run_("remove", "mine")[0], 0)
        self.assertFalse(os.path.exists(path))
        code, _, err = self.run_("remove", "mine")
        self.assertEqual(code, 1)
        self.assertIn("a file of the project", err)
        with open(path, "w") as file:
            file.write("---\ndescription: d\nmode: yolo\n---\nx")
        code, out, _ = self.run_("check", path)
        self.assertEqual(code, 1)
        self.assertIn("broken: its mode", out)
        code, _, err = self.run_("show", "exlpore")
        self.assertEqual(code, 1)
        self.assertIn("did you mean explore", err)
        self.assertEqual(self.run_("new", "../x")[0], 2)
        self.assertEqual(self.run_("new", "all", "--user")[0], 0)
        self.assertRegex(self.run_("list")[1], r"(?m)^all +user ")


class Page(unittest.TestCase):
    def test_a_page_hears_of_changes(self):
        server = Server()
        self.addCleanup(server.stop)
        with server.websocket() as page:
            for folder in ("root/.claude/agents", ".boxagnts/agents"):
                path = os.path.join(server.workspace, folder)
                os.makedirs(path)
                page.hear_until(lambda m: m.get("op") == "agents")
                with open(os.path.join(path, "a.md"), "w") as file:
                    file.write(TEXT.format("a", folder))
                page.hear_until(lambda m: m.get("op") == "agents")
                self.assertIn("Of " + folder, [a["description"] for a in server.api("GET", "/agents").json["agents"]])


if __name__ == "__main__":
    unittest.main()
