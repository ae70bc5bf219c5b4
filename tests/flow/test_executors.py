#!/usr/bin/env python3
"""Managed agents through the real binary: what goes wrong in one executor is its own, what it may do is never more than its manager
may, and each of these controls is switched off once to see that it would be missed."""
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import unittest
from unittest import mock

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "attack"))
from boxagnts import PATIENCE, Conversation, Server, Workspace  # noqa: E402
from test_same_tools import program  # noqa: E402

CAN_UNWIRE = os.environ.get("BX_CAN_UNWIRE") in ("1", "ON")
TRAP = program("x").replace(bytes([0x10, 0, 0x1A, 0x0B]), bytes([0x10, 0, 0x00, 0x0B]))  # unreachable instead of drop
LIMITS = {"bash": {"memory": "16MiB", "output": "64KiB", "written": "1MiB", "processes": 2}, "jsexec": {"cpu": "200ms"},
          "glob": {"fuel": 1000}, "web_fetch": {"allowed_outbound_hosts": ["http://127.0.0.1:9"]}}
FIRES = {  # what each limit is called, and a call that meets it
    "time": ("bash", {"command": "sleep 3600", "timeout": 500}),  # of the call: the others may take as long as they need
    "memory": ("bash", {"command": "x=0123456789; while :; do x=$x$x; done"}),
    "output": ("bash", {"command": "while :; do echo 0123456789012345678901234567890123456789; done"}),
    "written": ("bash", {"command": "head -c 3000000 /dev/zero >/b/big"}),
    "processes": ("bash", {"command": "cat /b/b.txt | cat | cat | cat"}),
    "cpu": ("jsexec", {"code": "for(;;){}"}),
    "fuel": ("glob", {"pattern": "**/*"}),
    "network": ("web_fetch", {"url": "http://127.0.0.1:9/"}),
    "path": ("read", {"file_path": "/link"}),
    "guarded": ("bash", {"command": "echo planted >/.envrc"}),
}


def call(tool, **input):
    return {"tool": tool, "input": input}


def agent(name, **more):
    return call("Agent", **dict({"description": name, "prompt": name + ": do it"}, **more))


def read(path):
    return {"calls": [call("read", file_path=path)]}


class Managed(Conversation):
    def setUp(self):
        super().setUp()
        shutil.rmtree(self.workspace.folder)
        self.workspace = Workspace(files={f"{name}/{name}.txt": f"I am {name}\n" for name in "abcd"}, links={"link": "/etc/hostname"})
        self.addCleanup(self.workspace.close)

    def manage(self, turns, executors, mode="auto", unwire="", limit=None):
        """The manager's turns, and by their names those of the executors; a session in this mode."""
        whens = [{"contains": f'"content":"{name}: do it', "turns": its} for name, its in executors.items()]
        self.workspace.start_model({"turns": turns, "when": whens})
        with mock.patch.dict(os.environ, {"BX_UNWIRE": unwire}):
            self.server = Server(self.workspace, limit)
        self.session = self.server.call("POST", "/sessions", {"model": "scripted/m", "mode": mode})[1]["id"]

    def own(self, name):
        """The session of an executor."""
        return self.wait_for({"type": "executor", "description": name})["executor"]

    def result(self, name):
        """What the manager was told by the call that started it."""
        started = self.wait_for({"type": "executor", "description": name})
        return self.wait_for({"type": "tool_result", "call": started["call"]})

    def executors(self):
        return self.server.call("GET", f"/sessions/{self.session}/executors")[1]["executors"]

    def until(self, holds, what):
        give_up = time.monotonic() + PATIENCE
        while not holds():
            self.assertLess(time.monotonic(), give_up, what)
            time.sleep(0.01)

    def until_there_is(self, path):
        self.until(lambda: os.path.exists(path), path)

    def denied(self, session):
        return [e for e in self.workspace.events(session) if e["type"] == "permission" and e["decision"] == "deny"]


class Faults(Managed):
    """One of four; the other three finish with right results, the manager is told by name, the server goes on."""

    OTHERS = {"b": [read("/b/b.txt"), {"text": "b was read"}], "c": [read("/c/c.txt"), {"text": "c was read"}],
              "d": [read("/d/d.txt"), {"text": "d was read"}]}

    def four(self, turns, settings=None, first=None, during=None, tool=None, **how):
        self.workspace.settings.update(settings or {})
        calls = [agent("a", **(first or {}))] + [agent(name, paths=[f"/{name}"]) for name in "bcd"]
        self.manage([{"calls": calls}, {"text": "reported"}], dict(self.OTHERS, a=turns), **how)
        while tool and not any(t["name"] == tool for t in self.server.call("GET", "/tools")[1]["tools"]):
            time.sleep(0.02)
        self.send("go")
        if during:
            during()
        self.wait_for({"type": "run_end", "reason": "done"})
        for name in "bcd":
            result = self.result(name)
            self.assertFalse(result["is_error"], result)
            self.assertIn(f"{name} was read", result["content"])
            reads = [e for e in self.workspace.events(self.own(name)) if e["type"] == "tool_result"]
            self.assertEqual([e["content"].split("\t")[1] for e in reads], [f"I am {name}\n"])
        self.assertEqual(self.server.call("GET", "/system")[0], 200)
        return self.result("a")

    def put(self, name, module):
        folder = os.path.join(self.workspace.state, "tools")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, name + ".json"), "w") as file:
            json.dump({"name": name, "description": "For tests", "permission_level": "read_only", "input_schema": {"type": "object"}}, file)
        with open(os.path.join(folder, name + ".wasm"), "wb") as file:
            file.write(module)

    def test_a_trap(self):
        self.put("trap", TRAP)
        result = self.four([{"calls": [call("trap")]}, {"text": "it broke"}], tool="trap")
        self.assertIn("it broke", result["content"])
        self.assertRegex(result["content"], r"1 of its calls failed:\ntrap: the tool crashed")
        self.assertEqual((result["metadata"]["state"], result["metadata"]["failed_calls"]), ("done", 1))

    def test_each_limit(self):
        with open(os.path.join(self.workspace.root, ".envrc"), "w") as file:
            file.write("mine\n")
        calls = [call(tool, **input) for tool, input in FIRES.values()]
        result = self.four([{"calls": calls}, {"text": "all of them"}], {"limits": LIMITS})
        for name, (tool, _) in FIRES.items():
            self.assertIn(f"{tool}: {name} limit", result["content"])
        self.assertEqual(result["metadata"]["failed_calls"], len(FIRES))

    def worker_of(self, folder):
        """The process that has this folder open: workers have their mounts."""
        give_up = time.monotonic() + PATIENCE
        while time.monotonic() < give_up:
            for pid in filter(str.isdigit, os.listdir("/proc")):
                try:
                    with open(f"/proc/{pid}/cmdline") as file:
                        if not file.read().startswith("boxagnts-box"):
                            continue
                    open_here = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
                except OSError:
                    continue
                if folder in open_here:
                    return int(pid)
            time.sleep(0.01)
        raise AssertionError("no worker has " + folder)

    def kill_worker_of_a(self):
        self.until_there_is(os.path.join(self.workspace.root, "a", "begun"))
        os.kill(self.worker_of(os.path.join(self.workspace.root, "a")), signal.SIGKILL)

    def test_a_killed_worker(self):
        result = self.four([{"calls": [call("bash", command="echo x >/a/begun; sleep 3600")]}, {"text": "lost it"}], first={"paths": ["/a"]},
                           during=self.kill_worker_of_a)
        self.assertIn("lost it", result["content"])
        self.assertRegex(result["content"], r"bash: .*worker")

    def test_a_provider_that_dies(self):
        result = self.four([read("/a/a.txt"), {"text": "half of a sentence " * 20, "cut_after": 400}],
                           {"model_requests": {"attempts": 2, "retry_base_ms": 1}})
        self.assertTrue(result["is_error"])
        self.assertEqual((result["metadata"]["state"], result["metadata"]["reason"]), ("failed", "error"))
        self.assertRegex(result["content"], r'Executor e\d+, "a", failed: .*(ended|cut|closed|lost|connection|stream)')

    def test_a_full_disk(self):
        """The file of one session can grow no more."""
        result = self.four([{"text": "x" * 300000, "calls": [call("read", file_path="/a/a.txt")]}, {"text": "never"}], limit=200000)
        self.assertEqual((result["metadata"]["state"], result["metadata"]["reason"]), ("failed", "error"))
        self.assertRegex(result["content"], r"failed: .*(cannot|too large)")

    def test_a_budget(self):
        result = self.four([read("/a/a.txt")] * 9, first={"budget": {"calls": 2}})
        self.assertEqual((result["metadata"]["state"], result["limit"]), ("limit", "calls"))
        self.assertIn("was ended by a limit (calls)", result["content"])

    def test_its_turns(self):
        result = self.four([read("/a/a.txt")] * 9, first={"max_turns": 2})
        self.assertEqual((result["metadata"]["state"], result["limit"]), ("limit", "max_turns"))

    def test_the_same_call_again_and_again(self):
        result = self.four([read("/nowhere")] * 9)
        self.assertEqual((result["metadata"]["state"], result["limit"]), ("limit", "repeated_calls"))

    def one_worker_is_killed(self, unwire):
        """b's call goes on or dies with a's worker, when both have equal folders."""
        waits = {name: [{"calls": [call("bash", command=f"echo x >/{name}/begun; until [ -e /go ]; do sleep 0.1; done")]}, {"text": "ended"}]
                 for name in "ab"}
        self.workspace.settings["limits"] = {"bash": {"time": "10m"}}
        self.manage([{"calls": [agent("a"), agent("b")]}, {"text": "reported"}], waits, unwire=unwire)
        warm = self.workers(set())
        self.send("go")
        for name in "ab":
            self.until_there_is(os.path.join(self.workspace.root, name, "begun"))
        pids = self.workers(set(warm), 1 if unwire else 2)
        os.kill(pids[0], signal.SIGKILL)
        self.until(lambda: not os.path.exists(f"/proc/{pids[0]}"), "the worker is killed")
        open(os.path.join(self.workspace.root, "go"), "w").close()
        self.wait_for({"type": "run_end", "reason": "done"})
        results = [self.workspace.wait_for(self.own(name), {"type": "tool_result"}) for name in "ab"]
        return len(pids), sum(r["is_error"] for r in results)

    def workers(self, but, count=1):
        """The server's beside these, once there are so many."""
        give_up = time.monotonic() + PATIENCE
        while time.monotonic() < give_up:
            listed = subprocess.run(["ps", "-o", "pid=,args=", "--ppid", str(self.server.process.pid)], capture_output=True, text=True).stdout
            found = [int(line.split()[0]) for line in listed.splitlines() if "boxagnts-box" in line]
            if len(set(found) - but) >= count:
                return sorted(set(found) - but)
            time.sleep(0.02)
        raise AssertionError("no worker starts")

    def test_a_worker_of_its_own(self):
        self.assertEqual(self.one_worker_is_killed(""), (2, 1))

    @unittest.skipUnless(CAN_UNWIRE, "this build cannot switch controls off")
    def test_without_it_one_takes_the_other_along(self):
        self.assertEqual(self.one_worker_is_killed("own_worker"), (1, 2))


class Subset(Managed):
    """What is asked for beyond the manager's is refused by name; what is given is kept to."""

    def refused(self, unwire="", mode="auto", **wish):
        self.manage([{"calls": [agent("a", agent="narrow")]}, {"text": "reported"}],
                    {"a": [{"calls": [agent("b", **wish)]}, {"text": "a ended"}], "b": [{"text": "b ran"}]}, mode=mode, unwire=unwire)
        folder = os.path.join(self.workspace.state, "agents")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "narrow.md"), "w") as file:
            file.write("---\nname: narrow\ndescription: reads\ntools: read, grep, Agent\nmax_turns: 7\n---\nRead.\n")
        self.send("go")
        self.wait_for({"type": "run_end", "reason": "done"})
        return self.workspace.wait_for(self.own("a"), {"type": "tool_result", "tool": "Agent"})

    def test_more_than_the_manager_has(self):
        for wish, said in (({"tools": ["read", "write"]}, "tools: you do not have write yourself"),
                           ({"tools": ["raed"]}, 'no tool "raed"'),
                           ({"max_turns": 8}, "max_turns: 8 are more than your own 7"),
                           ({"paths": ["/link"]}, "paths: /link"), ({"paths": ["/none"]}, "no folder /none"),
                           ({"paths": ["/a/a.txt"]}, "not a folder"), ({"paths": ["a"]}, "must be a folder as you see it"),
                           ({"paths": ["/", "/a:ro"]}, "/a cannot be read-only inside /, which is writable"),
                           ({"hosts": ["no such://"]}, "hosts"), ({"agent": "nobody"}, "nobody"), ({"model": "nobody/m"}, "nobody"),
                           ({"budget": {"tokens": 0}}, "tokens")):
            with self.subTest(wish):
                result = self.refused(**wish)
                self.assertTrue(result["is_error"], result)
                self.assertIn(said, result["content"])
                self.server.end()
                self.workspace.model.close()

    @unittest.skipUnless(CAN_UNWIRE, "this build cannot switch controls off")
    def test_without_the_control_it_gets_more(self):
        self.assertIn("b ran", self.refused("executor_subset", tools=["write"], max_turns=8)["content"])

    def budget(self, share, wish, manager=None):
        self.workspace.settings["executor_budget"] = share
        self.manage([{"calls": [agent("a", budget=wish)]}, {"text": "reported"}], {"a": [{"text": "a ran"}]})
        self.server.call("PATCH", f"/sessions/{self.session}", {"budget": manager or {"tokens": 100000}})
        self.send("go")
        self.wait_for({"type": "run_end", "reason": "done"})
        result = self.wait_for({"type": "tool_result"})
        self.server.end()
        self.workspace.model.close()
        return result["content"]

    def test_budgets(self):
        self.assertIn("a ran", self.budget({"kind": "shared_pool"}, {"tokens": 50000}))
        self.assertIn("budget: 150000 tokens are more than", self.budget({"kind": "shared_pool"}, {"tokens": 150000}))
        self.assertIn("are more than the", self.budget({"kind": "percentage", "percent": 10}, {"tokens": 20000}))
        self.assertIn("50 calls are more than the 5 calls", self.budget({"kind": "fixed_caps", "caps": {"calls": 5}}, {"calls": 50}))

    def swapped(self, unwire=""):
        """While an executor works in /a, its manager puts a link out of the root there: what the executor's next call sees."""
        outside = os.path.join(self.workspace.folder, "outside")
        os.makedirs(outside)
        with open(os.path.join(outside, "secret.txt"), "w") as file:
            file.write("not yours\n")
        waits = "touch /a/begun; while [ ! -e /a/go ]; do sleep 0.02; done"
        swaps = "while [ ! -e /a/begun ]; do sleep 0.02; done; mv /a /gone; ln -s ../../outside /a; touch /gone/go"
        self.manage([{"calls": [agent("a", paths=["/a"], background=True)]}, {"calls": [call("bash", command=swaps)]},
                     {"calls": [call("AgentOutput", id="e1", wait=True)]}, {"text": "reported"}],
                    {"a": [{"calls": [call("bash", command=waits)]}, {"calls": [call("bash", command="cat /a/secret.txt; echo x >/a/planted")]},
                           {"text": "tried"}]}, unwire=unwire)
        self.send("go")
        self.wait_for({"type": "run_end"})
        result = self.workspace.wait_for(self.own("a"), {"type": "tool_result"}, 2)
        return result, os.listdir(outside)

    def test_a_link_in_place_of_its_folder(self):
        result, outside = self.swapped()
        self.assertTrue(result["is_error"])
        self.assertIn("a link stands in its place now, which is not followed", result["content"])
        self.assertEqual(outside, ["secret.txt"])

    @unittest.skipUnless(CAN_UNWIRE, "this build cannot switch controls off")
    def test_a_link_that_is_followed(self):
        result, outside = self.swapped("mount_links")
        self.assertIn("not yours", result["content"])
        self.assertEqual(sorted(outside), ["planted", "secret.txt"])

    def confined(self, unwire=""):
        """An executor that was given /a, told to go elsewhere by every tool that could."""
        tries = [call("read", file_path="/b/b.txt"), call("bash", command="cat /b/b.txt; cat /a/a.txt; ls /"),
                 call("write", file_path="/c/new", content="x"), call("grep", pattern="I am", path="/"),
                 call("read", file_path="/a/../b/b.txt")]
        self.manage([{"calls": [agent("a", paths=["/a"])]}, {"text": "reported"}], {"a": [{"calls": tries}, {"text": "tried"}]},
                    unwire=unwire)
        self.send("go")
        self.wait_for({"type": "run_end", "reason": "done"})
        return "".join(json.dumps(e["content"]) for e in self.workspace.events(self.own("a")) if e["type"] == "tool_result")

    def test_folders(self):
        said = self.confined()
        self.assertNotIn("I am b", said)
        self.assertIn("I am a", said)
        self.assertFalse(os.path.exists(os.path.join(self.workspace.root, "c", "new")))
        self.assertEqual(os.listdir(os.path.join(self.workspace.state, "executors")), [])

    @unittest.skipUnless(CAN_UNWIRE, "this build cannot switch controls off")
    def test_without_the_control_it_sees_all_folders(self):
        self.assertIn("I am b", self.confined("executor_subset"))

    def test_one_below_a_confined_one_gets_no_folders_from_the_settings(self):
        other = os.path.join(self.workspace.folder, "other")
        os.makedirs(other)
        with open(os.path.join(other, "o.txt"), "w") as file:
            file.write("I am other\n")
        self.workspace.settings["limits"] = {"read": {"map_dirs": [other + ":/other:ro"]}}
        look = [read("/other/o.txt"), {"text": "tried"}]
        self.manage([{"calls": [agent("a", paths=["/a"])]}, {"calls": [agent("c")]}, {"text": "reported"}],
                    {"a": [{"calls": [agent("b")]}, {"text": "a ended"}], "b": look, "c": look})
        self.send("go")
        self.wait_for({"type": "run_end", "reason": "done"})
        below = self.workspace.wait_for(self.own("a"), {"type": "executor", "description": "b"})["executor"]
        said = [self.workspace.wait_for(s, {"type": "tool_result"})["content"] for s in (below, self.own("c"))]
        self.assertEqual(["I am other" in text for text in said], [False, True])

    def reaches(self, hosts, unwire=""):
        """The reason that the executor's fetch of a granted host was refused for."""
        self.workspace.settings["limits"] = {"web_fetch": {"allowed_outbound_hosts": ["http://127.0.0.1:9"], "block_networks": []}}
        self.manage([{"calls": [agent("a", hosts=hosts)]}, {"text": "reported"}],
                    {"a": [{"calls": [call("web_fetch", url="http://127.0.0.1:9/")]}, {"text": "tried"}]}, unwire=unwire)
        self.send("go")
        self.wait_for({"type": "run_end", "reason": "done"})
        said = self.workspace.wait_for(self.own("a"), {"type": "tool_result"})["content"]
        self.server.end()
        self.workspace.model.close()
        return said

    def test_hosts(self):
        self.assertIn("not among the hosts that this executor was given", self.reaches([]))
        self.assertIn("not among the hosts that this executor was given", self.reaches(["https://example.com"]))
        self.assertNotIn("not among", self.reaches(["http://127.0.0.1:9"]))

    @unittest.skipUnless(CAN_UNWIRE, "this build cannot switch controls off")
    def test_without_the_control_it_reaches_more(self):
        self.assertNotIn("not among", self.reaches([], "executor_subset"))

    def test_the_mode_is_never_wider(self):
        """The agent asks for auto, the session is in plan; then for itself in plan under auto."""
        folder = os.path.join(self.workspace.state, "agents")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "free.md"), "w") as file:
            file.write("---\nname: free\ndescription: writes\nmode: auto\n---\nWrite.\n")
        write = [{"calls": [call("write", file_path="/new", content="x")]}, {"text": "tried"}]
        for mode, who in (("plan", "free"), ("auto", "plan")):
            self.manage([{"calls": [agent("a", agent=who)]}, {"text": "reported"}], {"a": write}, mode=mode)
            self.send("go")
            self.wait_for({"type": "run_end", "reason": "done"})
            self.assertFalse(os.path.exists(os.path.join(self.workspace.root, "new")))
            self.assertTrue(self.denied(self.own("a")))
            self.server.end()
            self.workspace.model.close()

    def test_later_in_its_session_it_may_no_more(self):
        """A person's message to an executor that has ended."""
        self.manage([{"calls": [agent("a", agent="explore", paths=["/a"])]}, {"text": "reported"}],
                    {"a": [{"text": "first"}, {"calls": [call("write", file_path="/a/new", content="x"), call("read", file_path="/b/b.txt")]},
                           {"text": "second"}]})
        self.send("go")
        self.wait_for({"type": "run_end", "reason": "done"})
        own = self.own("a")
        self.assertEqual(self.server.call("POST", f"/sessions/{own}/messages", {"text": "write now"})[0], 202)
        self.workspace.wait_for(own, {"type": "run_end"}, 2)
        results = [e for e in self.workspace.events(own) if e["type"] == "tool_result"]
        self.assertEqual([r["is_error"] for r in results], [True, True])
        self.assertFalse(os.path.exists(os.path.join(self.workspace.root, "a", "new")))


    def test_a_session_file_from_elsewhere_gives_no_folders(self):
        self.manage([{"calls": [agent("a")]}, {"text": "reported"}], {"a": [{"text": "first"}, read("/hostname"), {"text": "second"}]})
        self.send("go")
        self.wait_for({"type": "run_end", "reason": "done"})
        own = self.own("a")
        self.server.end()
        path = os.path.join(self.workspace.state, "sessions", own + ".jsonl")
        with open(path) as file:
            text = file.read()
        with open(path, "w") as file:
            file.write(text.replace(f'"host":"{os.path.realpath(self.workspace.root)}"', '"host":"/etc"'))
        self.restart()
        status, problem = self.server.call("POST", f"/sessions/{own}/messages", {"text": "read it"})
        self.assertEqual(status, 403, problem)
        self.assertIn("not this workspace's", problem["detail"])
        self.assertEqual(sum(e["type"] == "run_start" for e in self.workspace.events(own)), 1)


class Rules(Managed):
    def test_what_the_session_was_given_passes_down(self):
        own, of_a, of_b = (call("write", file_path=f"/{name}/new", content="x") for name in "cab")
        self.manage([{"calls": [own]}, {"calls": [agent("a")]}, {"calls": [agent("b")]}, {"text": "reported"}],
                    {"a": [{"calls": [of_a]}, {"text": "wrote"}], "b": [{"calls": [of_b]}, {"text": "wrote"}]}, mode="default")
        self.send("go")
        self.answer(self.wait_for({"type": "question"}), "session")
        first = self.result("a")
        self.assertIn("wrote", first["content"])
        self.assertEqual(first["metadata"]["failed_calls"], 0)
        self.wait_for({"type": "run_end", "reason": "done"})
        asked = [e for e in self.workspace.events(self.own("a")) + self.workspace.events(self.own("b")) if e["type"] == "question"]
        self.assertEqual(asked, [])

    def test_a_question_of_an_executor(self):
        self.manage([{"calls": [agent("a"), agent("b")]}, {"text": "reported"}],
                    {"a": [{"calls": [call("write", file_path="/a/new", content="x")]}, {"text": "wrote"}], "b": [{"text": "b ended"}]},
                    mode="default")
        self.send("go")
        own = self.own("a")
        question = self.workspace.wait_for(own, {"type": "question"})
        self.wait_for({"type": "executor", "description": "b", "state": "done"})  # one question holds its own executor only
        self.assertEqual({e["description"]: e["waiting"] for e in self.executors()}, {"a": True, "b": False})  # in whichever order they began
        body = {"question": question["question"], "choice": "no", "text": "leave it"}
        self.assertEqual(self.server.call("POST", f"/sessions/{own}/answers", body)[0], 202)
        self.assertIn("leave it", self.result("a")["content"])
        self.wait_for({"type": "run_end", "reason": "done"})


class Queue(Managed):
    def most_at_a_time(self, together, unwire=""):
        """None of them hears from its model before so many have asked theirs (and the manager its own)."""
        self.workspace.settings["max_concurrent_executors"] = 2
        names = ["a", "b", "c", "d"]
        self.manage([{"calls": [agent(name) for name in names]}, {"text": "reported"}],
                    {name: [{"text": f"{name} ended", "after_requests": 1 + together}] for name in names}, unwire=unwire)
        self.send("go")
        self.wait_for({"type": "run_end", "reason": "done"})
        for name in names:
            self.assertIn(f"{name} ended", self.result(name)["content"])
        now = most = 0
        for event in self.workspace.events(self.session):
            if event["type"] == "executor":
                now += {"running": 1, "done": -1}.get(event["state"], 0)
                most = max(most, now)
        return most

    def test_no_more_than_the_setting_work_at_a_time(self):
        self.assertEqual(self.most_at_a_time(2), 2)

    @unittest.skipUnless(CAN_UNWIRE, "this build cannot switch controls off")
    def test_without_the_control_all_do(self):
        self.assertEqual(self.most_at_a_time(4, "executor_queue"), 4)

    def deep(self, unwire=""):
        """a starts b, which starts c; one place in the queue."""
        self.workspace.settings["max_concurrent_executors"] = 1
        self.manage([{"calls": [agent("a")]}, {"text": "reported"}],
                    {"a": [{"calls": [agent("b")]}, {"text": "a ended"}], "b": [{"calls": [agent("c")]}, {"text": "b ended"}],
                     "c": [{"text": "c ended"}]}, unwire=unwire)
        self.send("go")
        self.wait_for({"type": "run_end", "reason": "done"})
        self.assertIn("a ended", self.result("a")["content"])
        rows = self.executors()
        b = next(r["session"] for r in rows if r["description"] == "b")
        self.assertEqual([(r["description"], r["depth"]) for r in rows][:2], [("a", 1), ("b", 2)])
        self.assertEqual(rows[1]["parent"], rows[0]["session"])
        return self.workspace.wait_for(b, {"type": "tool_result"})["content"], len(rows)

    def test_who_waits_for_its_own_takes_no_place_and_depth_ends(self):
        said, count = self.deep()
        self.assertIn("max_executor_depth", said)
        self.assertEqual(count, 2)

    @unittest.skipUnless(CAN_UNWIRE, "this build cannot switch controls off")
    def test_without_the_control_depth_does_not_end(self):
        said, count = self.deep("executor_depth")
        self.assertIn("c ended", said)
        self.assertEqual(count, 3)

    def test_their_number_ends(self):
        self.workspace.settings["max_executors"] = 2
        refused = agent("x", paths=["/nowhere"])  # and does not count
        self.manage([{"calls": [refused]}, {"calls": [agent("a")]}, {"calls": [agent("b")]}, {"calls": [agent("c")]}, {"text": "reported"}],
                    {name: [{"text": "ended"}] for name in "abc"})
        self.send("go")
        self.wait_for({"type": "run_end", "reason": "done"})
        said = [e["content"] for e in self.workspace.events(self.session) if e["type"] == "tool_result"]
        self.assertEqual(["max_executors" in text for text in said], [False, False, False, True])


class Together(Managed):
    def test_in_the_background(self):
        """Started, asked, told to, waited for; the run does not end before it has. Its first reply comes when the manager waits."""
        self.manage([{"calls": [agent("a", background=True)]},
                     {"calls": [call("AgentOutput", id="e1"), call("AgentSend", id="e1", text="and also this"), call("AgentOutput", id="e9")]},
                     {"text": "I wait"}, {"text": "heard of it"}],
                    {"a": [{"calls": [call("Sleep", ms=1)], "after_requests": 4}, {"text": "a ended"}]})
        self.send("go")
        self.wait_for({"type": "run_end", "reason": "done"})
        started, asked, sent, unknown = [self.wait_for({"type": "tool_result", "call": c}) for c in
                                         [e["id"] for t in self.workspace.events(self.session) if t["type"] == "assistant" for e in t["calls"]]]
        self.assertEqual(started["metadata"]["state"], "running")
        self.assertEqual(asked["metadata"]["state"], "running")
        self.assertIn("hears it at its next turn", sent["content"])
        self.assertIn("there are: e1", unknown["content"])
        told = self.wait_for({"type": "user", "executor": self.own("a")})
        self.assertIn("a ended", told["text"])
        self.wait_for({"type": "assistant", "text": "heard of it"})
        self.workspace.wait_for(self.own("a"), {"type": "user", "text": "and also this", "from": "manager"})

    def test_one_that_ended_works_again(self):
        self.manage([{"calls": [agent("a")]}, {"calls": [call("AgentSend", id="e1", text="once more")]},
                     {"calls": [call("AgentOutput", id="e1", wait=True)]}, {"text": "reported"}],
                    {"a": [{"text": "first"}, {"text": "second"}]})
        self.send("go")
        self.wait_for({"type": "run_end", "reason": "done"})
        self.assertIn("second", self.wait_for({"type": "tool_result", "tool": "AgentOutput"})["content"])
        self.assertEqual([e["type"] for e in self.workspace.events(self.session) if e["type"] == "user"], ["user"])

    def test_one_works_again_at_once_and_often(self):
        """Its thread is still leaving when it is sent the next word: neither waits for the other."""
        rounds = 40
        turns = [{"calls": [agent("a")]}]
        for n in range(rounds):
            turns += [{"calls": [call("AgentSend", id="e1", text=f"word {n}")]}, {"calls": [call("AgentOutput", id="e1", wait=True)]}]
        self.manage(turns + [{"text": "reported"}], {"a": [{"text": f"heard {n}"} for n in range(rounds + 1)]})
        self.server.call("PATCH", f"/sessions/{self.session}", {"budget": {"max_turns": 3 * rounds}})
        self.send("go")
        self.wait_for({"type": "run_end", "reason": "done"})
        self.assertIn(f"heard {rounds}", self.wait_for({"type": "tool_result", "tool": "AgentOutput"}, rounds)["content"])

    def test_two_words_at_once_to_one_that_ended(self):
        """One of the two calls wakes it, the other is heard by it or told to try again: none is lost without a word."""
        self.manage([{"calls": [agent("a")]}, {"calls": [call("AgentSend", id="e1", text="left"), call("AgentSend", id="e1", text="right")]},
                     {"calls": [call("AgentOutput", id="e1", wait=True)]}, {"text": "reported"}], {"a": [{"text": "a ended"}] * 4})
        self.send("go")
        self.wait_for({"type": "run_end", "reason": "done"})
        sent = [e for e in self.workspace.events(self.session) if e["type"] == "tool_result" and e["tool"] == "AgentSend"]
        heard = [e["text"] for e in self.workspace.events(self.own("a")) if e["type"] == "user"]
        self.assertEqual(len(sent), 2)
        self.assertTrue(any("works again" in e["content"] for e in sent), sent)
        for word, told in zip(("left", "right"), sorted(sent, key=lambda e: e["call"])):
            self.assertEqual(heard.count(word), 0 if told["is_error"] else 1, (heard, sent))

    def test_one_of_an_earlier_message(self):
        """After a restart of the program, too: its result, and more work with what it might do then."""
        self.manage([{"calls": [agent("a", agent="explore")]}, {"text": "reported"},
                     {"calls": [call("AgentOutput", id="e1")]}, {"calls": [call("AgentSend", id="e1", text="write now")]}, {"text": "I wait"},
                     {"text": "reported again"}],
                    {"a": [{"text": "first"}, {"calls": [call("write", file_path="/new", content="x")]}, {"text": "second"}]})
        self.send("go")
        self.wait_for({"type": "run_end", "reason": "done"})
        self.server.end()
        self.restart()
        self.send("and what does e1 say?")
        self.wait_for({"type": "run_end", "reason": "done"}, 2)
        said = self.wait_for({"type": "tool_result", "tool": "AgentOutput"})
        self.assertIn("first", said["content"])
        self.assertEqual((said["metadata"]["state"], said["metadata"]["name"]), ("done", "e1"))
        told = self.wait_for({"type": "user", "executor": self.own("a")})
        self.assertIn("second", told["text"])
        self.assertFalse(os.path.exists(os.path.join(self.workspace.root, "new")))
        self.assertEqual([(e["name"], e["state"]) for e in self.executors()], [("e1", "done")])

    def test_a_person_writes_while_it_waits(self):
        """To the executor, which works, and to the manager, which waits for it: each hears it at its next turn. The executor's first
        reply comes when the manager has heard."""
        self.manage([{"calls": [agent("a", background=True)]}, {"text": "I wait"}, {"text": "I hear"}, {"text": "reported"}],
                    {"a": [{"calls": [call("Sleep", ms=1)], "after_requests": 4}, {"text": "a ended"}]})
        self.send("go")
        self.wait_for({"type": "assistant", "text": "I wait"})
        own = self.own("a")
        self.workspace.wait_for(own, {"type": "user", "text": "a: do it"})
        self.assertEqual(self.server.call("POST", f"/sessions/{own}/messages", {"text": "hurry"})[0], 202)
        self.send("how far are you?")
        self.wait_for({"type": "assistant", "text": "I hear"})
        self.wait_for({"type": "run_end", "reason": "done"})
        heard = [e["text"] for e in self.workspace.events(own) if e["type"] == "user"]
        self.assertEqual(heard, ["a: do it", "hurry"])
        self.assertIn("a ended", self.wait_for({"type": "user", "executor": own})["text"])

    def test_what_is_done_while_it_waits_asks_the_model_for_nothing(self):
        """A request to compact: it is carried out, and the manager waits on for its executor."""
        ask = call("AskUserQuestion", questions=[{"question": "Well?", "header": "w", "multi": False, "options": [
            {"label": "yes", "description": "y"}, {"label": "no", "description": "n"}]}])
        self.manage([{"calls": [agent("a", background=True)]}, {"text": "I wait"}, {"text": "reported"}], {"a": [{"calls": [ask]}, {"text": "a ended"}]})
        self.send("go")
        self.wait_for({"type": "assistant", "text": "I wait"})
        own = self.own("a")
        question = self.workspace.wait_for(own, {"type": "question"})
        said = self.server.call("POST", f"/sessions/{self.session}/command", {"text": "/compact"})[1]
        out = self.wait_for({"type": "unqueue", "id": said["queued"]})
        self.assertIn("there are no earlier turns", out["why"])
        self.assertEqual(self.server.call("POST", f"/sessions/{own}/answers", {"question": question["question"], "choice": "answer", "answers": [{"selected": ["yes"]}]})[0], 202)
        self.wait_for({"type": "run_end", "reason": "done"})
        events = self.workspace.events(self.session)
        self.assertEqual([e["text"] for e in events if e["type"] == "assistant"], ["", "I wait", "reported"])
        self.assertIn("a ended", self.wait_for({"type": "user", "executor": own})["text"])

    def crowd(self):
        """a wants to go on, and has no place: b works in the one that there is."""
        def work(name):
            return [{"calls": [call("bash", command=f"echo x >/{name}/begun; while [ ! -e /{name}/go ]; do sleep 0.02; done")]}]
        ask = call("AskUserQuestion", questions=[{"question": "Well?", "header": "w", "multi": False, "options": [
            {"label": "yes", "description": "y"}, {"label": "no", "description": "n"}]}])
        self.manage([{"calls": [agent("a"), agent("b")]}, {"text": "reported"}],
                    {"a": [{"calls": [agent("c", background=True)]}, {"text": "I wait"}, {"text": "a ended"}],
                     "b": work("b") + [{"calls": [ask]}, {"text": "b ended"}], "c": work("c") + [{"text": "c ended"}]})
        self.send("go")
        a = self.own("a")
        for name in "bc":
            self.until_there_is(os.path.join(self.workspace.root, name, "begun"))
        self.workspace.wait_for(a, {"type": "assistant", "text": "I wait"})
        self.assertEqual(self.server.call("PUT", "/settings", {"max_concurrent_executors": 1})[0], 200)
        self.let_go("c")
        self.workspace.wait_for(a, {"type": "executor", "description": "c", "state": "done"})
        return a

    def let_go(self, name):
        with open(os.path.join(self.workspace.root, name, "go"), "w"):
            pass

    def test_one_that_waits_for_a_place_can_be_stopped(self):
        a = self.crowd()
        self.assertEqual(self.server.call("POST", f"/sessions/{a}/stop", {})[0], 202)
        self.workspace.wait_for(a, {"type": "run_end", "reason": "stopped"})

    def test_the_place_of_one_that_asks_is_taken(self):
        """Whatever becomes of the question."""
        a = self.crowd()
        self.let_go("b")
        self.workspace.wait_for(a, {"type": "run_end", "reason": "done"})
        b = self.own("b")
        question = self.workspace.wait_for(b, {"type": "question"})
        body = {"question": question["question"], "choice": "answer", "answers": [{"selected": ["yes"]}]}
        self.assertEqual(self.server.call("POST", f"/sessions/{b}/answers", body)[0], 202)
        self.wait_for({"type": "run_end", "reason": "done"})

    def test_who_is_in_the_queue_does_not_wait_for_an_answer(self):
        self.workspace.settings["max_concurrent_executors"] = 1
        names = "abc"
        self.manage([{"calls": [agent(name) for name in names]}, {"text": "reported"}],
                    {name: [{"calls": [call("write", file_path=f"/{name}/new", content="x")]}, {"text": f"{name} ended"}] for name in names}, mode="default")
        self.send("go")
        asked = {self.own(name): self.workspace.wait_for(self.own(name), {"type": "question"}) for name in names}
        for own, question in asked.items():
            body = {"question": question["question"], "choice": "once"}
            self.assertEqual(self.server.call("POST", f"/sessions/{own}/answers", body)[0], 202)
        self.wait_for({"type": "run_end", "reason": "done"})
        for name in names:
            self.assertIn(f"{name} ended", self.result(name)["content"])

    def test_what_they_used_is_told(self):
        self.manage([{"calls": [agent("a")]}, {"text": "reported"}], {"a": [{"text": "a ended"}]})
        self.send("go")
        self.wait_for({"type": "run_end", "reason": "done"})
        said = self.server.call("POST", f"/sessions/{self.session}/command", {"text": "/cost"})[1]["text"]
        self.assertRegex(said, r"(?s)^2 requests: .*1 executor: \d+ tokens in, \d+ out")

    def test_packs(self):
        self.manage([{"calls": [agent("a", packs=["style"]), agent("b", packs=["stile"])]}, {"text": "reported"}], {"a": [{"text": "a ended"}]})
        pack = {"description": "How we write", "items": [{"kind": "text", "text": "Tabs are never used here."}]}
        self.assertIn(self.server.call("PUT", "/packs/style", pack)[0], (200, 201, 204))
        self.send("go")
        self.wait_for({"type": "run_end", "reason": "done"})
        asked = [json.dumps(r["body"]) for r in self.workspace.model.requests() if "a: do it" in json.dumps(r["body"].get("messages", [])[-1:])]
        self.assertIn("Tabs are never used here.", asked[0])
        refused = [e for e in self.workspace.events(self.session) if e["type"] == "tool_result" and e["is_error"]]
        self.assertEqual(len(refused), 1)
        self.assertIn("stile", refused[0]["content"])

    def test_settings_that_cannot_be(self):
        self.manage([{"text": "none"}], {})
        for wrong in ({"max_concurrent_executors": 0}, {"max_executor_depth": 9}, {"max_executors": 0},
                      {"executor_budget": {"kind": "all"}}, {"executor_budget": {"kind": "fixed_caps", "caps": {"tokens": 0}}}):
            status, problem = self.server.call("PUT", "/settings", wrong)
            self.assertEqual((status, problem.get("field")), (400, list(wrong)[0]), problem)
        self.assertEqual(self.server.call("PUT", "/settings", {"max_executor_depth": 0})[0], 200)
        self.send("go")
        self.wait_for({"type": "run_end", "reason": "done"})
        offered = {t["function"]["name"] for t in self.workspace.model.requests()[-1]["body"]["tools"]}
        self.assertNotIn("Agent", offered)

    def test_stopped_by_its_manager(self):
        self.manage([{"calls": [agent("a", background=True)]}, {"calls": [call("AgentStop", id="e1")]}, {"text": "reported"}],
                    {"a": [{"text": "never", "delay_ms": 50000}]})
        self.send("go")
        self.wait_for({"type": "run_end", "reason": "done"})
        self.assertEqual(self.wait_for({"type": "tool_result", "tool": "AgentStop"})["metadata"]["state"], "stopped")
        self.workspace.wait_for(self.own("a"), {"type": "run_end", "reason": "stopped"})

    def stall(self, **how):
        names = ["a", "b", "c", "d", "e"]
        self.manage([{"calls": [agent(name) for name in names]}, {"text": "reported"}],
                    {name: [{"text": "never", "delay_ms": 50000}] for name in names}, **how)
        self.send("go")
        for name in names:
            self.own(name)
        self.wait_for({"type": "executor", "state": "running"}, 4)
        return names

    def test_stopping_the_manager_stops_all(self):
        names = self.stall()
        self.assertEqual(self.server.call("POST", f"/sessions/{self.session}/stop", {})[0], 202)
        self.wait_for({"type": "run_end", "reason": "stopped"})
        self.assertEqual({e["state"] for e in self.executors()}, {"stopped"})
        runs = [e["type"] for name in names for e in self.workspace.events(self.own(name)) if e["type"] in ("run_start", "run_end")]
        self.assertEqual(sorted(runs), ["run_end"] * 4 + ["run_start"] * 4)  # the fifth waited for its turn

    def test_one_is_stopped_by_a_person(self):
        names = self.stall()
        for name in names:
            self.assertEqual(self.server.call("POST", f"/sessions/{self.own(name)}/stop", {})[0], 202)
        self.wait_for({"type": "run_end", "reason": "done"})
        self.assertEqual({self.result(name)["limit"] for name in names}, {"cancelled"})

    def test_the_budget_of_all_ends_all(self):
        self.workspace.settings["budgets"] = {"tokens": 30000}
        names = ["a", "b", "c"]
        self.manage([{"calls": [agent(name) for name in names]}, {"text": "reported"}],
                    {name: [read(f"/{name}/{name}.txt")] * 40 for name in names})
        self.send("go")
        self.assertEqual(self.wait_for({"type": "run_end"})["reason"], "tokens")
        self.assertEqual({(e["state"], e["reason"]) for e in self.executors()}, {("limit", "tokens")})
        used = sum(e["input_tokens"] + e["output_tokens"] for e in self.executors())
        self.assertLess(used, 40000)

    def test_the_budget_of_all_ends_those_that_wait_too(self):
        self.workspace.settings.update(budgets={"tokens": 30000}, max_concurrent_executors=1)
        self.manage([{"calls": [agent("a"), agent("b")]}, {"text": "reported"}], {name: [read("/a/a.txt")] * 40 for name in "ab"})
        self.send("go")
        self.assertEqual(self.wait_for({"type": "run_end"})["reason"], "tokens")
        self.assertEqual([(e["state"], e["reason"]) for e in self.executors()], [("limit", "tokens")] * 2)
        self.assertEqual(sorted(e["turns"] > 0 for e in self.executors()), [False, True])  # one of them never began

    def test_a_crash(self):
        self.stall()
        one = self.wait_for({"type": "executor", "state": "running"})["executor"]  # any of the five may be the one that waits
        self.workspace.wait_for(one, {"type": "run_start"})  # "running" is said a moment before
        self.server.end(signal.SIGKILL)
        self.restart()
        self.wait_for({"type": "run_end", "reason": "interrupted"})
        self.assertEqual({(e["state"], e["reason"]) for e in self.executors()}, {("stopped", "interrupted")})
        self.assertIn("Interrupted", self.wait_for({"type": "tool_result", "tool": "Agent"})["content"])
        self.workspace.wait_for(one, {"type": "run_end", "reason": "interrupted"})


class Documents(Managed):
    """An export takes the executors along, and an import has them below it again."""

    def test_there_and_back(self):
        self.manage([{"calls": [agent("a")]}, {"text": "reported"}],
                    {"a": [{"calls": [agent("b")]}, {"text": "a is done"}], "b": [read("/b/b.txt"), {"text": "b was read"}]})
        self.send("go")
        self.wait_for({"type": "run_end", "reason": "done"})
        document = self.server.call("GET", f"/sessions/{self.session}/export")[1]
        self.assertEqual([e["header"]["title"] for e in document["executors"]], ["a", "b"])
        self.assertNotIn("executors", self.server.call("GET", f"/sessions/{self.session}/export?executors=0")[1])
        status, reply = self.server.call("POST", "/sessions/import", document)
        self.assertEqual(status, 201, reply)
        copy = reply["session"]["id"]
        there, back = self.executors(), self.server.call("GET", f"/sessions/{copy}/executors")[1]["executors"]
        self.assertEqual(len(back), 2)
        for one, other in zip(there, back):
            self.assertEqual([one[k] for k in ("name", "description", "state", "turns", "call")],
                             [other[k] for k in ("name", "description", "state", "turns", "call")])
            self.assertNotEqual(one["session"], other["session"])
        self.assertEqual((back[0]["parent"], back[1]["parent"]), (copy, back[0]["session"]))
        self.assertIn("I am b", json.dumps(self.workspace.events(back[1]["session"])))
        self.assertEqual(self.server.call("DELETE", f"/sessions/{copy}")[0], 204)
        self.assertEqual(self.server.call("GET", f"/sessions/{back[1]['session']}")[0], 404)  # they go with it


class Planner(Managed):
    def plan(self, unwire=""):
        write = call("write", file_path="/by-planner", content="x")
        self.manage([{"calls": [write]}, {"calls": [agent("a")]}, {"text": "reported"}],
                    {"a": [{"calls": [call("write", file_path="/by-executor", content="x")]}, {"text": "wrote"}]}, unwire=unwire)
        self.assertEqual(self.server.call("PATCH", f"/sessions/{self.session}", {"planner": True})[0], 200)
        self.send("go")
        self.wait_for({"type": "run_end", "reason": "done"})
        asked = self.workspace.model.requests()[0]["body"]
        self.assertIn("You are the planner", json.dumps(asked["messages"][0]))
        return sorted(n for n in os.listdir(self.workspace.root) if n.startswith("by-")), {t["function"]["name"] for t in asked["tools"]}

    def test_it_delegates_and_does_not_write(self):
        written, tools = self.plan()
        self.assertEqual(written, ["by-executor"])
        self.assertTrue({"Agent", "AgentOutput", "TodoWrite", "AskUserQuestion", "read"} <= tools)
        self.assertFalse({"write", "edit", "bash", "jsexec"} & tools)
        self.assertEqual([e["by"] for e in self.denied(self.session)], ["narrow"])

    @unittest.skipUnless(CAN_UNWIRE, "this build cannot switch controls off")
    def test_without_the_control_it_writes(self):
        self.assertEqual(self.plan("planner")[0], ["by-executor", "by-planner"])

    def git(self, *args):
        done = subprocess.run(["git", "-c", "user.name=n", "-c", "user.email=e", *args], cwd=self.workspace.root, capture_output=True,
                              text=True, check=True)
        return done.stdout

    def test_a_managed_run(self):
        """The planner splits the work, three executors do it in worktrees, it takes over two of the three, and reports."""
        self.git("init", "-q", "-b", "main")
        self.git("add", ".")
        self.git("commit", "-qm", "first")
        parts = [agent(name, isolation="worktree") for name in "abc"]
        todo = call("TodoWrite", todos=[{"content": name, "status": "pending"} for name in "abc"])
        decide = [call("Worktree", id="e1", action="merge"), call("Worktree", id="e2", action="merge"), call("Worktree", id="e3", action="discard")]
        works = {name: [{"calls": [call("write", file_path=f"/{name}/new.txt", content=f"by {name}\n"), call("bash", command="ls -a /")]},
                        {"text": f"{name} wrote"}] for name in "abc"}
        self.manage([{"calls": [todo]}, {"calls": parts}, {"calls": decide}, {"text": "two of three are in"}], works)
        self.server.call("PATCH", f"/sessions/{self.session}", {"planner": True})
        self.send("split it")
        self.wait_for({"type": "run_end", "reason": "done"})
        for name in "abc":
            own = self.own(name)
            self.assertIn(f"{name} wrote", self.result(name)["content"])
            listed = self.workspace.wait_for(own, {"type": "tool_result", "tool": "bash"})["content"]
            self.assertNotIn(".git", listed)
        self.assertEqual([e["is_error"] for e in self.workspace.events(self.session) if e["type"] == "tool_result"], [False] * 7)
        taken = {row["description"]: row["name"] != "e3" for row in self.executors()}
        self.assertEqual({name: os.path.exists(os.path.join(self.workspace.root, name, "new.txt")) for name in "abc"}, taken)
        self.assertEqual(self.git("status", "--porcelain"), "")
        self.assertEqual(self.git("branch", "--format=%(refname:short)").split(), ["main"])

    def test_on_the_terminal(self):
        whens = [{"contains": '"content":"a: do it', "turns": [{"text": "a ended"}]},
                 {"contains": '"content":"b: do it', "turns": [{"status": 400, "error": "no"}]}]
        self.workspace.start_model({"turns": [{"calls": [agent("a"), agent("b", agent="explore")]}, {"text": "reported"}], "when": whens})
        run = self.workspace.command("run", "--workspace-dir", self.workspace.path, "--model", "scripted/m", "--planner", "go")
        out, err = run.communicate(timeout=PATIENCE)
        self.assertEqual((run.returncode, out), (0, "reported\n"), err)
        self.assertRegex(err, r"▸ e\d a\n")
        self.assertRegex(err, r"◂ e\d a … done, 1 turns, \d+\.\d s")
        self.assertRegex(err, r"◂ e\d \(explore\) b … error, 1 turns")


if __name__ == "__main__":
    unittest.main(verbosity=2)
