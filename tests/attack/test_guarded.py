#!/usr/bin/env python3
"""A program in the box that plants what the user's own programs would run: hooks, configurations, start-up files."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "flow"))
from boxagnts import BINARY, PATIENCE, Workspace  # noqa: E402

GUESTS = subprocess.run([os.path.join(HERE, "build_guests.sh")], capture_output=True, text=True, check=True).stdout.strip()
DESCRIPTOR = {"name": "plant", "version": "1", "description": "Changes files.", "permission_level": "execute", "input": "argv",
              "input_schema": {"type": "object", "properties": {"do": {"type": "string"}}}}
BEFORE = {".git/config": "[core]\n", ".git/HEAD": "ref\n", ".git/hooks/post-commit": "mine\n", ".envrc": "use nix\n", "src/a.c": "int a;\n",
          "vendor/lib/.git/config": "[core]\n"}

# what is done, and what of it is put back
ATTACKS = {
    "a new hook": ("write /.git/hooks/pre-commit", ["/.git/hooks/pre-commit"]),
    "another hook": ("append /.git/hooks/post-commit", ["/.git/hooks/post-commit"]),
    "a hook less": ("remove /.git/hooks/post-commit", ["/.git/hooks/post-commit"]),
    "the configuration": ("write /.git/config", ["/.git/config"]),
    "one by another name": ("write /x;remove /.git/config;move /x /.git/config", ["/.git/config"]),
    "a start-up file": ("write /.envrc", ["/.envrc"]),
    "tasks of the editor": ("folder /.vscode;write /.vscode/tasks.json", ["/.vscode"]),
    "deep down": ("folder /src/sub;folder /src/sub/.husky;write /src/sub/.husky/pre-push", ["/src/sub/.husky"]),
    "a nested repository": ("write /vendor/lib/.git/config", ["/vendor/lib/.git/config"]),
    "a new repository": ("folder /new;folder /new/.git;write /new/.git/config", ["/new/.git"]),
    "hooks that lead elsewhere": ("folder /evil;write /evil/pre-commit;remove /.git/hooks/post-commit;remove /.git/hooks;link ../evil /.git/hooks",
                                  ["/.git/hooks", "/.git/hooks/post-commit"]),
    "the repository moved away": ("move /.git /old;folder /.git;write /.git/config", ["/.git/config", "/.git/hooks", "/.git/hooks/post-commit"]),
    "a name in capitals": ("folder /.GIT;write /.GIT/config", ["/.GIT"]),
    "a file of the settings": ("write /deploy.key", ["/deploy.key"]),
}


class Guarded(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cache = tempfile.TemporaryDirectory(prefix="bx-guarded-")  # the guest is compiled once
        cls.addClassCleanup(cache.cleanup)
        cls.cache = cache.name

    def setUp(self):
        self.w = Workspace(files=BEFORE)
        self.addCleanup(self.w.close)
        folder = os.path.join(self.w.state, "tools")
        os.makedirs(folder)
        shutil.copy(os.path.join(GUESTS, "plant.wasm"), folder)
        with open(os.path.join(folder, "plant.json"), "w") as file:
            json.dump(DESCRIPTOR, file)
        with open(os.path.join(self.w.state, "settings.json"), "w") as file:
            json.dump({"limits": {"*": {"guarded_paths": ["deploy.key"]}}}, file)

    def command(self, *args, unwire=""):
        return subprocess.run([BINARY, *args, "--workspace-dir", self.w.path], capture_output=True, text=True, timeout=PATIENCE,
                              env=dict(self.w.environment(), BX_UNWIRE=unwire, XDG_CACHE_HOME=self.cache), cwd=self.w.folder)

    def plant(self, do, unwire=""):
        done = self.command("tool", "run", "plant", "--json", "--input", json.dumps({"do": do}), unwire=unwire)
        self.assertTrue(done.stdout, done.stderr)
        return json.loads(done.stdout)

    def content(self):
        found = {}
        for folder, _, names in os.walk(self.w.root):
            for name in names:
                path = os.path.join(folder, name)
                if os.path.isfile(path):
                    with open(path) as file:
                        found[os.path.relpath(path, self.w.root)] = file.read()
        return found

    def test_every_attack(self):
        for name, (do, paths) in ATTACKS.items():
            with self.subTest(name):
                self.setUp()
                result = self.plant(do)
                self.assertEqual(result["limit"], "guarded", result)
                for path in paths:
                    self.assertIn(f'"{path}"', result["content"])
                self.assertIn("grant add plant --path", result["denied"]["line"])
                after = self.content()
                for path, text in BEFORE.items():
                    if path != ".git/HEAD" or "moved" not in name:
                        self.assertEqual(after.get(path), text, path)
                planted = [path for path in after if after[path] == "planted\n" and (".git" in path.lower() or "/." in "/" + path or "deploy" in path)]
                self.assertEqual(planted, [])

    def test_each_gets_through_without_the_control(self):
        if os.environ.get("BX_CAN_UNWIRE") != "1":
            self.skipTest("a build without BX_UNWIRE")
        for name, (do, _) in ATTACKS.items():
            with self.subTest(name):
                self.setUp()
                result = self.plant(do, unwire="guarded")
                self.assertIsNone(result["limit"])
                self.assertEqual(result["content"].strip(), f"{do.count(';') + 1} done")

    def test_what_is_not_guarded_stays(self):
        result = self.plant("write /src/a.c;write /new.txt;folder /git;write /git/config;write /.gitignore")
        self.assertIsNone(result["limit"], result)
        self.assertEqual(self.content()["new.txt"], "planted\n")

    def test_granted(self):
        self.assertEqual(self.command("grant", "add", "plant", "--path", "/.git/hooks/**").returncode, 0)
        result = self.plant("write /.git/hooks/pre-commit;write /.git/config")
        self.assertEqual(json.loads(result["content"][result["content"].index("["):result["content"].index("]") + 1]), ["/.git/config"])
        self.assertEqual(self.content()[".git/hooks/pre-commit"], "planted\n")


if __name__ == "__main__":
    unittest.main(verbosity=2)
