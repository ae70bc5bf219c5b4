#!/usr/bin/env python3
"""A rule that denies a command, and lines that come to it in a way that no parser can see. With the control off each gets through."""
import json
import os
import sys
import unittest
from unittest import mock

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "flow"))
from boxagnts import Conversation, Server, Workspace  # noqa: E402
from test_executors import Managed, agent  # noqa: E402

DENY = {"id": "no-rm", "tool": "bash", "command": "rm *", "verdict": "deny"}
FILES = {"victim": "alive\n", "go.sh": "#!/bin/sh\nrm /victim\n", "words": "rm /victim\n", "name": "rm\n", "src/a": "",
         "move": "cd /src\npwd > /moved\n", "lib": "deploy() { command cd /src; pwd > /moved; }\n"}
needs_switches = unittest.skipUnless(os.environ.get("BX_CAN_UNWIRE") in ("1", "ON"), "this build cannot switch controls off")

# each takes the file away, where it can
LINES = {
    "a script": "sh ./go.sh",
    "a script by its name": "./go.sh",
    "a script of the shell's input": "sh < words",
    "a pipe into the shell": "cat words | sh",
    "source": ". ./words",
    "eval": 'eval "$(cat words)"',
    "a variable": "r=rm; $r victim",
    "an array": 'a=(rm victim); "${a[@]}"',
    "a name that is made": '"$(printf r)m" victim',
    "a name that is read": "read r < name; $r victim",
    "a function's arguments": 'run() { "$@"; }; run $(cat name) victim',
    "a subshell": "(r=rm; $r victim)",
    "a stage of a pipeline": "echo | { read x; r=rm; $r victim; } | cat",
    "in the background": "r=rm; $r victim & wait",
    "a trap": "trap '$(cat name) victim' EXIT",
    "awk's system": """awk 'BEGIN { system("rm victim") }'""",
    "awk's getline": """awk 'BEGIN { "rm victim" | getline x }'""",
    "awk's print": """awk 'BEGIN { print "rm victim" | "sh" }'""",
    "awk's words": """awk '{ system($0) }' words""",
    "find": "find . -name victim -exec $(cat name) {} +",
    "find, one by one": "find . -name victim -exec $(cat name) {} ';'",
    "xargs": "cat name | xargs -I% % victim",
    "xargs of its input": "xargs env < words",
    "env": "env $(cat name) victim",
    "timeout": "timeout 50 $(cat name) victim",
    "nice": "nice $(cat name) victim",
    "one in the other": "env timeout 50 env nice sh -c 'env sh ./go.sh'",
    "another option": "r=rm; $r -rf victim",
    "a folder before the name": "r=/bin/rm; $r victim",
    "nobody hears it": "{ sh ./go.sh; } > /dev/null 2>&1",
    "its errors in a file": "sh ./go.sh 2> said",
}
# commands of the shell itself, and functions: DENY_OWN denies "cd *" and "deploy *"
DENY_OWN = [{"id": "no-cd", "tool": "bash", "command": "cd *", "verdict": "deny"}, {"id": "no-deploy", "tool": "bash", "command": "deploy *", "verdict": "deny"}]
OWN = {
    "a variable": "c=cd; $c /src; pwd",
    "a file": ". ./move; pwd",
    "eval": 'eval "$(cat move)"; pwd',
    "command": "command $(echo cd) /src; pwd",
    "builtin": "builtin $(echo cd) /src; pwd",
    "a function": ". ./lib; $(echo deploy) x; pwd",
    "a subshell": "(c=cd; $c /src; pwd)",
    "a stage": "true | { c=cd; $c /src; pwd; } | cat",
    "another shell": "sh ./move; pwd",
    "without an environment": "env -i sh ./move; pwd",
    "with one of its own": "export BX_BARS=none; env BX_BARS=none sh ./move; pwd",
    "awk's system": """awk 'BEGIN { system(". ./move; pwd") }'""",
}
# what is not the command goes on as if there were no rule
FINE = {
    "awk 'BEGIN { system(\"echo rm victim\") }'": "rm victim\n",
    "cat victim | { read x; echo $x; } | cat": "alive\n",
    "(echo a; echo b) | while read x; do echo $x; done": "a\nb\n",
    "find . -name victim -exec cat {} +": "alive\n",
}


class Commands(unittest.TestCase):
    def setUp(self):
        self.begin(DENY)

    def begin(self, *rules, unwire=""):
        self.w = Workspace(files=FILES)
        self.addCleanup(self.w.close)
        with open(os.path.join(self.w.state, "settings.json"), "w") as file:
            json.dump({"rules": rules}, file)
        with mock.patch.dict(os.environ, {"BX_UNWIRE": unwire}):
            self.server = Server(self.w)
        self.addCleanup(self.server.end)

    def bash(self, line):
        status, result = self.server.call("POST", "/tools/bash/run", {"input": {"command": line}})
        self.assertEqual(status, 200, result)
        return result

    def lives(self):
        return os.path.exists(os.path.join(self.w.root, "victim"))

    def receipts(self):
        folder = os.path.join(self.w.state, "receipts")
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name)) as file:
                yield from map(json.loads, file)

    def test_every_way(self):
        for name, line in LINES.items():
            with self.subTest(name):
                result = self.bash(line)
                self.assertTrue(self.lives(), result)
                self.assertEqual(result["limit"], "command", result)
                self.assertIn("was not started: the rule no-rm denies `rm *`", result["content"])
                self.assertEqual(result["denied"]["setting"], "rules")
                self.assertRegex(result["denied"]["command"], "^rm .*victim$")
                *_, receipt = self.receipts()
                self.assertEqual(receipt["not_started"], [{"pattern": "rm *", "rule": "no-rm", "times": 1}])
                self.assertEqual((receipt["limit"], receipt["granted"]["denied_commands"]), ("command", ["rm *"]))
        self.assertIn("rm: not started: the rule no-rm denies `rm *`\n", self.bash(LINES["awk's system"])["metadata"]["stderr"])

    @needs_switches
    def test_each_gets_through_without_the_control(self):
        self.begin(DENY, unwire="command_deny")
        for name, line in LINES.items():
            with self.subTest(name):
                with open(os.path.join(self.w.root, "victim"), "w") as file:
                    file.write(FILES["victim"])
                result = self.bash(line)
                self.assertFalse(self.lives(), result)
                self.assertIsNone(result["limit"], result)

    def moved(self):
        path = os.path.join(self.w.root, "moved")
        if not os.path.exists(path):
            return False
        with open(path) as file:
            said = file.read()
        os.unlink(path)
        return said == "/src\n"

    def test_commands_of_the_shell(self):
        self.begin(*DENY_OWN)
        for name, line in OWN.items():
            with self.subTest(name):
                result = self.bash(line)
                self.assertFalse(self.moved(), result)
                self.assertNotIn("/src\n", result["metadata"]["stdout"], result)
                self.assertEqual(result["limit"], "command", result)
                self.assertRegex(result["metadata"]["stderr"], "(cd|deploy): not started: the rule no-(cd|deploy) denies")

    @needs_switches
    def test_commands_of_the_shell_without_the_control(self):
        self.begin(*DENY_OWN, unwire="command_deny")
        for name, line in OWN.items():
            with self.subTest(name):
                result = self.bash(line)
                self.assertTrue(self.moved() or "/src\n" in result["metadata"]["stdout"], result)
                self.assertIsNone(result["limit"], result)

    def test_the_shell_sees_a_status(self):
        result = self.bash("sh -c 'r=rm; $r victim; echo $?'; r=rm; $r victim || echo refused; $r a b; echo $?")
        self.assertEqual(result["metadata"]["stdout"], "126\nrefused\n126\n", result)
        self.assertIn("(3 starts in all)", result["content"])

    def test_what_is_not_meant_goes_on(self):
        self.begin(DENY, dict(DENY, id="no-bash", command="bash *"))
        for line, said in FINE.items():
            with self.subTest(line):
                result = self.bash(line)
                self.assertEqual((result["metadata"]["stdout"], result["limit"]), (said, None), result)

    def test_a_rule_for_every_tool_and_one_for_another(self):
        self.begin(dict(DENY, tool="*"))
        self.assertEqual(self.bash(LINES["a variable"])["limit"], "command")
        self.begin(dict(DENY, tool="write"))
        self.assertIsNone(self.bash(LINES["a variable"])["limit"])
        self.assertFalse(self.lives())

    def test_an_effect_is_no_command(self):
        """docs/bash.md says so: what may be written is a matter of folders."""
        self.assertIsNone(self.bash("find . -name victim -delete")["limit"])
        self.assertFalse(self.lives())


def bash(command):
    return {"calls": [{"tool": "bash", "input": {"command": command}}]}


class Sessions(Conversation):
    """Rules of a session, also those that come while it works; rules that ask."""
    ANY = {"id": "any", "tool": "bash", "command": "*", "verdict": "allow"}
    HIDDEN = """awk 'BEGIN { system("touch %s") }'"""

    def deny(self, command, verdict="deny"):
        body = {"tool": "bash", "command": command, "verdict": verdict, "scope": "session", "session": self.session}
        status, made = self.server.call("POST", "/grants", body)
        self.assertEqual(status, 201, made)
        return made["id"]

    def talk(self, n):
        self.send("go")
        self.wait_for({"type": "run_end"}, n)

    def made(self, name):
        return os.path.exists(os.path.join(self.workspace.root, name))

    def test_a_rule_counts_from_the_next_call_on(self):
        self.workspace.settings = {"rules": [self.ANY]}
        wait = "until [ -e now ]; do sleep 0.01; done; "
        self.begin(bash(wait + self.HIDDEN % "first"), bash(self.HIDDEN % "second"), {"text": "done"})
        self.send("go")
        self.wait_for({"type": "tool_start"})
        rule = self.deny("touch *")
        with open(os.path.join(self.workspace.root, "now"), "w"):
            pass
        self.wait_for({"type": "run_end"})
        self.assertEqual((self.made("first"), self.made("second")), (True, False))
        said = self.wait_for({"type": "not_started"})
        self.assertEqual(said["commands"], [{"command": "touch second", "pattern": "touch *", "rule": rule, "times": 1}])
        result = self.wait_for({"type": "tool_result", "call": said["call"]})
        self.assertEqual((result["limit"], result["denied"]["command"], result["is_error"]), ("command", "touch second", False))

    def test_a_yes_to_a_line_is_none_to_what_is_denied(self):
        self.begin(bash("sh -c '$(echo touch) made'; echo on"), {"text": "done"})
        self.deny("touch *")
        self.send("go")
        self.answer(self.wait_for({"type": "question"}), "once")
        self.wait_for({"type": "run_end"})
        self.assertFalse(self.made("made"))
        self.wait_for({"type": "tool_result", "limit": "command", "content": {"$has": "on\n"}})

    def test_a_rule_that_is_taken_back(self):
        self.workspace.settings = {"rules": [self.ANY]}
        self.begin(bash(self.HIDDEN % "a"), {"text": "one"}, bash(self.HIDDEN % "b"), {"text": "two"})
        rule = self.deny("touch *")
        self.talk(1)
        self.assertEqual(self.server.call("DELETE", f"/grants/{rule}?session={self.session}")[0], 204)
        self.talk(2)
        self.assertEqual((self.made("a"), self.made("b")), (False, True))

    def test_a_rule_that_asks(self):
        """What was not asked for is not started; what was is, with all of its line."""
        self.workspace.settings = {"rules": [self.ANY]}
        hidden = self.HIDDEN % "hidden"
        self.begin(bash(hidden), bash("touch seen; " + hidden), {"text": "done"})
        self.deny("touch *", "ask")
        self.send("go")
        question = self.wait_for({"type": "question"})
        self.wait_for({"type": "tool_result", "limit": "command", "content": {"$has": "asks before `touch *`: write the command into the line"}})
        self.assertFalse(self.made("hidden"))
        self.answer(question, "once")
        self.wait_for({"type": "run_end"})
        self.assertEqual((self.made("seen"), self.made("hidden")), (True, True))


class Executors(Managed):
    """What the manager's session denies is not started for its executors, whatever else the rule says."""

    def test_a_rule_of_the_manager(self):
        self.workspace.settings = {"rules": [Sessions.ANY]}
        calls = [bash(Sessions.HIDDEN % name)["calls"][0] for name in ("/plain", "/counted")]
        self.manage([{"calls": [agent("a")]}, {"text": "reported"}], {"a": [{"calls": calls}, {"text": "tried"}]})
        for name, more in (("plain", {}), ("counted", {"max_calls": 3})):
            body = dict({"tool": "bash", "command": f"touch /{name}", "verdict": "deny", "scope": "session", "session": self.session}, **more)
            self.assertEqual(self.server.call("POST", "/grants", body)[0], 201)
        self.send("go")
        self.wait_for({"type": "run_end", "reason": "done"})
        said = [e["commands"][0]["command"] for e in self.workspace.events(self.own("a")) if e["type"] == "not_started"]
        self.assertEqual(sorted(said), ["touch /counted", "touch /plain"])
        self.assertIn("bash: command limit", self.result("a")["content"])
        self.assertEqual([n for n in ("plain", "counted") if os.path.exists(os.path.join(self.workspace.root, n))], [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
