#!/usr/bin/env python3
"""What is typed while a run is active is never refused for that: messages, skills and /compact wait for the next turn, what only shows or
switches something is done at once, an edited message may stop the run."""
import json
import os
import signal
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from boxagnts import PATIENCE, Conversation  # noqa: E402

LOOK = "---\nname: look\ndescription: Only looks\ntools: [Read]\nparameters: {what: {required: true}}\n---\nLook at {{what}}.\n"
LONG = "word " * 3000


class Queue(Conversation):
    def post(self, path, body, status):
        got, reply = self.server.call("POST", f"/sessions/{self.session}/{path}", body)
        self.assertEqual(got, status, reply)
        return reply

    def command(self, text, status=200):
        return self.post("command", {"text": text}, status)

    def waiting(self):
        return self.server.call("GET", f"/sessions/{self.session}")[1]["queued"]

    def events(self, *types):
        return [e for e in self.workspace.events(self.session) if e["type"] in types]

    def put_skill(self, name, text, folder=None):
        path = os.path.join(folder or os.path.join(self.workspace.state, "skills"), name)
        os.makedirs(path, exist_ok=True)
        with open(os.path.join(path, "SKILL.md"), "w") as file:
            file.write(text)

    def write(self, name):
        return {"calls": [{"tool": "write", "input": {"file_path": f"/{name}", "content": "x"}}]}

    def at_work(self, *then, before=(), when=()):
        """A run that goes no further until its question is answered."""
        self.put_skill("look", LOOK)
        self.begin(*before, self.write("a"), *then, when=when)
        for n, _ in enumerate(before):
            self.send("Go on " + LONG)
            self.wait_for({"type": "run_end"}, n + 1)
        self.send("write")
        self.question = self.wait_for({"type": "question"})

    def go_on(self):
        self.answer(self.question, "once")

    def test_a_skill_joins_and_narrows_from_then_on(self):
        """It is on the disk before it is acknowledged, survives SIGKILL, and denies a call of the turn that it joined, and none before."""
        self.at_work(self.write("b"), {"text": "Only looked."})
        queued = [self.post("messages", {"text": "first"}, 202)["queued"]]
        said = self.command("/look the code")
        self.assertEqual(said["kind"], "queued")
        queued += [said["queued"], self.post("messages", {"text": "last"}, 202)["queued"]]
        self.server.end(signal.SIGKILL)
        self.restart()
        self.assertEqual(self.waiting(), [{"id": queued[0], "text": "first"}, {"id": queued[1], "text": "/look the code", "skill": "look", "args": "the code"},
                                          {"id": queued[2], "text": "last"}])
        self.go_on()
        self.wait_for({"type": "run_end", "reason": "done"})
        self.assertEqual([(e["text"], e.get("queued")) for e in self.events("user")], list(zip(["write", "first", "/look the code", "last"], [None, *queued])))
        self.assertEqual([(e["decision"], e["by"]) for e in self.events("permission")], [("allow", "user"), ("deny", "narrow")])
        self.assertTrue(os.path.exists(os.path.join(self.workspace.root, "a")))
        self.assertFalse(os.path.exists(os.path.join(self.workspace.root, "b")))
        asked = [m["content"] for m in self.workspace.model.requests()[-1]["body"]["messages"] if m["role"] == "user"]
        self.assertIn("Look at the code.", asked[2])
        self.assertIn("only these tools may be used", asked[2])
        self.assertEqual(self.waiting(), [])
        self.assertEqual(self.events("cache_break"), [])

    def test_what_is_wrong_with_a_skill_is_said_at_once(self):
        self.at_work({"text": "Done."})
        self.put_skill("theirs", "---\ndescription: x\n---\nx", os.path.join(self.workspace.root, ".claude", "skills"))
        texts = ["/look", "/theirs", "/lok"]
        while_it_runs = [self.server.call("POST", f"/sessions/{self.session}/command", {"text": t}) for t in texts]
        self.assertEqual([status for status, _ in while_it_runs], [400, 403, 400])
        self.assertEqual(self.waiting(), [])
        self.go_on()
        self.wait_for({"type": "run_end"})
        self.assertEqual([self.server.call("POST", f"/sessions/{self.session}/command", {"text": t}) for t in texts], while_it_runs)

    def test_a_skill_that_changed_meanwhile(self):
        """As it is when it joins; when it cannot be used any more the log says what was typed and why, and the run goes on."""
        self.at_work(self.write("b"), {"text": "Done."})
        self.command("/look the code")
        said = self.command("/look the tests")
        self.assertEqual(self.server.call("DELETE", f"/sessions/{self.session}/queued/{said['queued']}")[0], 204)
        self.put_skill("look", LOOK.replace("what:", "place:").replace("{{what}}", "{{place}}, closely"))
        self.command("/look what=more")
        self.put_skill("look", LOOK.replace("what:", "place:").replace("{{what}}", "{{place}}, closely").replace("required: true", "required: true, enum: [the code]"))
        self.go_on()
        out = self.wait_for({"type": "unqueue", "text": "/look what=more"})
        self.assertIn("the code", out["why"])
        self.wait_for({"type": "run_end", "reason": "done"})
        self.assertEqual([e["text"] for e in self.events("user")], ["write", "/look the code"])
        self.assertIn("Look at the code, closely.", self.events("user")[1]["expanded"])

    def test_stopped_it_waits_and_begins_the_next_run(self):
        self.at_work(self.write("b"), {"text": "Done."})
        self.command("/look the code")
        self.post("stop", {}, 202)
        self.wait_for({"type": "run_end", "reason": "stopped"})
        self.assertEqual([q["skill"] for q in self.waiting()], ["look"])
        self.send("go on")
        self.wait_for({"type": "run_end", "reason": "done"})
        self.assertEqual([e["text"] for e in self.events("user")], ["write", "/look the code", "go on"])
        self.assertEqual(self.events("permission")[-1]["by"], "narrow")

    def test_compact_waits_for_the_end_of_the_turn(self):
        summary = {"contains": "the number", "turns": [{"text": "## Goal\nCount.\n## Facts\nKept: 7."}]}
        self.at_work({"text": "Written."}, {"text": "Written."}, before=({"text": LONG}, {"text": LONG}), when=[summary])
        taken = self.command("/compact")
        self.assertEqual(taken["kind"], "queued")
        self.assertEqual(self.server.call("DELETE", f"/sessions/{self.session}/queued/{taken['queued']}")[0], 204)
        said = self.post("compact", {"focus": "the number"}, 202)
        self.assertEqual(self.waiting(), [{"id": said["queued"], "text": "/compact the number", "compact": "the number"}])
        self.go_on()
        done = self.wait_for({"type": "compact", "by": "user", "queued": said["queued"], "run": self.question["run"]})
        self.assertIn("Kept: 7.", done["summary"])
        self.wait_for({"type": "run_end", "reason": "done", "run": self.question["run"]})
        self.assertEqual(self.waiting(), [])
        self.assertEqual(len(self.events("compact")), 1)
        asked = self.workspace.model.requests()[-1]["body"]["messages"]
        self.assertIn("Kept: 7.", str(asked))
        self.assertEqual([m["role"] for m in asked[-3:]], ["user", "assistant", "tool"], "the turn itself stays whole")

    def wait_for_summaries(self, n):
        give_up = time.monotonic() + PATIENCE
        while sum("the number" in json.dumps(r["body"]) for r in self.workspace.model.requests()) < n:
            self.assertLess(time.monotonic(), give_up, "no summary was asked for")
            time.sleep(0.01)

    def test_a_compaction_that_is_cut_off_waits_on(self):
        """Stopped or killed while it is carried out; taken back only before and after that."""
        summary = {"contains": "the number", "turns": [{"text": "never", "delay_ms": 3600000}]}
        self.at_work({"text": "Written."}, before=({"text": LONG}, {"text": LONG}), when=[summary])
        said = self.command("/compact the number")
        path = f"/sessions/{self.session}/queued/{said['queued']}"
        self.go_on()
        self.wait_for_summaries(1)
        self.assertIn("it is being done", self.server.call("DELETE", path)[1]["detail"])
        self.post("stop", {}, 202)
        self.wait_for({"type": "run_end", "reason": "stopped"})
        self.assertEqual([q["id"] for q in self.waiting()], [said["queued"]])
        self.send("go on")
        self.wait_for_summaries(2)
        self.server.end(signal.SIGKILL)
        self.restart()
        self.wait_for({"type": "run_end", "reason": "interrupted"})
        self.assertEqual([q["id"] for q in self.waiting()], [said["queued"]])
        self.assertEqual(self.server.call("DELETE", path)[0], 204)
        self.assertEqual((self.waiting(), self.events("compact")), ([], []))

    def test_every_command_during_a_run(self):
        """What happens to each while a run is active: nothing is refused for it, and the run is left alone."""
        self.at_work({"text": "Done."})
        want = {"/help": "text", "/clear": "session", "/compact": "queued", "/resume": "open", f"/resume {self.session}": "session", "/rename Other": "text",
                "/fork": "session", "/export": "open", "/model": "open", "/model scripted/m": "text", "/permissions": "open",
                "/permissions accept-edits": "text", "/plan": "text", "/plan go on": "queued", "/permissions default": "text", "/context": "open",
                "/memory": "open", "/cost": "open", "/agents": "open", "/skills": "open", "/init": "queued", "/doctor": "text", "/queue": "text",
                "/look x": "queued"}
        listed = {row["name"] for row in self.server.call("GET", "/commands")[1]["commands"] if row["kind"] == "builtin"}
        self.assertEqual({text.split()[0][1:] for text in want} - {"look"}, listed)
        got = {text: self.command(text) for text in want}
        self.assertEqual({text: reply["kind"] for text, reply in got.items()}, want)
        self.assertIn("this one keeps its own", got["/model scripted/m"]["text"])
        self.assertIn("/plan go on", got["/queue"]["text"])
        self.assertEqual([q["text"] for q in self.waiting()], ["/compact", "/plan go on", "/init", "/look x"])
        self.assertEqual([e["type"] for e in self.events("run_start", "run_end", "answer")], ["run_start"])
        copy = self.server.call("GET", f"/sessions/{got['/fork']['session']}")[1]
        self.assertEqual((copy["session"]["running"], copy["queued"]), (False, []))
        self.go_on()
        self.wait_for({"type": "run_end", "reason": "done"})
        self.assertEqual([e["text"][:15] for e in self.events("user")], ["write", "go on", "Write an AGENTS", "/look x"])

    def test_the_queue_by_hand(self):
        self.at_work({"text": "Done."})
        self.assertIn("Nothing waits", self.command("/queue")["text"])
        self.send("one")
        self.command("/look two")
        self.send("/three")
        self.assertRegex(self.command("/queue")["text"], r"(?s)1\. one\n2\. /look two\n3\. /three")
        self.assertIn("/look two", self.command("/queue back 2")["text"])
        self.assertIn("/three", self.command("/queue back")["text"])
        self.command("/queue back 2", 400)
        self.command("/queue forth", 400)
        self.assertEqual([q["text"] for q in self.waiting()], ["one"])

    def test_edit_and_resend_stops_the_run(self):
        self.at_work({"text": "Never said."}, when=[{"contains": "in other words", "turns": [{"text": "Understood."}]}])
        seq = self.events("user")[0]["seq"]
        body = {"text": "in other words", "replace": seq}
        self.assertIn("\"stop\": true", self.post("messages", body, 409)["detail"])
        self.post("messages", body | {"replace": seq + 1, "stop": True}, 400)
        self.assertEqual(self.post("messages", {"text": "x", "stop": True}, 400)["field"], "stop")
        self.assertEqual(self.events("run_end"), [], "nothing is stopped for what is wrong")
        run = self.post("messages", body | {"stop": True}, 202)["run"]
        self.wait_for({"type": "run_end", "run": run, "reason": "done"})
        self.assertEqual([e["reason"] for e in self.events("run_end")], ["stopped", "done"])
        self.assertEqual(self.events("assistant")[-1]["text"], "Understood.")
        self.assertFalse(os.path.exists(os.path.join(self.workspace.root, "a")))


if __name__ == "__main__":
    unittest.main()
