#!/usr/bin/env python3
"""Skills through the real binary: the five that come with it and their scripts in the box, trust, narrowing, files, the API, and the
command line. The weather service is a server on the loopback."""
import filecmp
import http.server
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
import unittest
import zipfile
from urllib.parse import parse_qs, urlparse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "attack"))
import client  # noqa: E402
from boxagnts import BINARY, PATIENCE, Conversation, Server, Workspace  # noqa: E402

BUNDLED = {"code-review": "src", "refactoring": "src/a.c", "weather-now": "Oslo", "weather-forecast": "Oslo days=2", "component-generator": "price-tag"}
CURRENT = {"current": {"time": "2026-03-01T12:00", "temperature_2m": 7.5, "apparent_temperature": 4, "relative_humidity_2m": 80, "precipitation": 0.4,
                       "weather_code": 61, "wind_speed_10m": 18, "wind_direction_10m": 225}, "current_units": {"temperature_2m": "°C", "apparent_temperature": "°C"}}
DAILY = {"daily": {"time": ["2026-03-01", "2026-03-02"], "weather_code": [3, 95], "temperature_2m_min": [1, 2], "temperature_2m_max": [8, 9],
                   "precipitation_sum": [0, 12], "precipitation_probability_max": [5, 90], "wind_speed_10m_max": [20, 60]}, "daily_units": {"temperature_2m_max": "°C"}}


def front(**members):
    lines = [f"{name.replace('_', '-') if name == 'allowed_tools' else name}: {value if isinstance(value, str) else json.dumps(value)}" for name, value in members.items()]
    return "---\n" + "\n".join(lines) + "\n---\n"


class Weather(http.server.BaseHTTPRequestHandler):
    """Open-Meteo's two services, as far as the skills ask them; and a place for archives."""

    def do_GET(self):
        url = urlparse(self.path)
        query = parse_qs(url.query)
        self.server.seen.append(self.path)
        if url.path in self.server.files:
            kind, body, status = "application/octet-stream", self.server.files[url.path], 200
        elif url.path == "/moved":
            kind, body, status = "text/plain", b"", 302
        elif url.path == "/v1/search":
            kind, status = "application/json", 200
            body = json.dumps({"results": [{"name": query["name"][0], "country": "Norway", "latitude": 59.91, "longitude": 10.75}]}).encode()
        elif url.path == "/v1/forecast":
            kind, body, status = "application/json", json.dumps(DAILY if "daily" in query else CURRENT).encode(), 200
        else:
            kind, body, status = "text/plain", b"", 404
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if status == 302:
            self.send_header("Location", "/pdf.zip")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def put(folder, name, text, mode=0o644):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, mode)


def serve(case):
    peer = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Weather)
    peer.seen, peer.files = [], {}
    threading.Thread(target=peer.serve_forever, daemon=True).start()
    case.addCleanup(peer.server_close)
    case.addCleanup(peer.shutdown)
    peer.at = f"http://127.0.0.1:{peer.server_port}"
    return peer


class InARun(Conversation):
    def result(self, tool, n=1):
        return self.wait_for({"type": "tool_result", "tool": tool}, n)

    def results(self, n):
        """Of the n-th reply with calls, in their order."""
        calls = [e for e in self.workspace.events(self.session) if e["type"] == "assistant" and e.get("calls")][n - 1]["calls"]
        return [self.wait_for({"type": "tool_result", "call": call["id"]}) for call in calls]

    def mode(self, mode):
        self.assertEqual(self.server.call("PATCH", f"/sessions/{self.session}", {"mode": mode})[0], 200)

    def end_of_run(self, n=1):
        self.wait_for({"type": "run_end", "reason": "done"}, n)

    def slash(self, text, status=200):
        code, reply = self.server.call("POST", f"/sessions/{self.session}/command", {"text": text})
        self.assertEqual(code, status, reply)
        return reply

    def weather(self, skill, args, fetches, script_args, said):
        peer = serve(self)
        urls = [peer.at + url for url in fetches]
        self.begin(*[{"calls": [{"tool": "web_fetch", "input": {"url": url, "extract": "raw"}}]} for url in urls],
                   {"calls": [{"tool": "jsexec", "input": {"file_path": "/skills/weather-now/scripts/report.js", "args": script_args}}]}, {"text": "done"})
        self.mode("auto")
        grant = {"tool": "web_fetch", "host": peer.at, "scope": "session", "session": self.session}
        self.assertEqual(self.server.call("POST", "/grants", grant)[0], 201)
        self.assertEqual(self.slash(f"/{skill} {args} geocoding_url={peer.at} weather_url={peer.at}")["kind"], "run")
        self.end_of_run()
        expanded = self.wait_for({"type": "user"})["expanded"]
        for url in urls:  # what a model would make of the text
            self.assertIn(url.split("name=")[0].split("latitude=")[0], expanded)
        self.assertEqual([r["is_error"] for r in (self.result("web_fetch", 1), self.result("web_fetch", 2), self.result("jsexec"))], [False] * 3)
        for text in said:
            self.assertIn(text, self.result("jsexec")["content"])
        self.assertEqual(len(peer.seen), 2)

    def test_weather_now(self):
        self.weather("weather-now", "Oslo", ["/v1/search?name=Oslo&count=5&language=en&format=json", "/v1/forecast?latitude=59.91&longitude=10.75&timezone=auto&current=temperature_2m"],
                     [json.dumps(CURRENT)], ["light rain, 7.5°C; feels like 4°C", "wind 18 km/h from SW", "2026-03-01T12:00"])

    def test_weather_forecast(self):
        self.weather("weather-forecast", "Oslo days=2", ["/v1/search?name=Oslo&count=5&language=en&format=json", "/v1/forecast?latitude=59.91&longitude=10.75&timezone=auto&forecast_days=2&daily=weather_code"],
                     [json.dumps(DAILY), "2"], ["| 2026-03-02 | thunderstorm | 2 to 9°C | 12 mm (90%) | 60 km/h |"])

    def test_component_generator(self):
        bad = '<template><img src="x"><button>go</button><div onclick="f()">x</div><input></template>\n'
        good = '<template><img src="x" alt=""><button type="button">go</button><label>n <input></label></template>\n'
        script = {"tool": "jsexec", "input": {"file_path": "/skills/component-generator/scripts/check.js", "args": ["/price-tag.html"]}}
        self.begin({"calls": [{"tool": "write", "input": {"file_path": "/price-tag.html", "content": bad}}]}, {"calls": [script]},
                   {"calls": [{"tool": "read", "input": {"file_path": "/price-tag.html"}}]},
                   {"calls": [{"tool": "write", "input": {"file_path": "/price-tag.html", "content": good}}]}, {"calls": [script]}, {"text": "done"})
        self.mode("auto")
        self.slash("/component-generator price-tag framework=html")
        self.end_of_run()
        first, second = self.result("jsexec", 1), self.result("jsexec", 2)
        for text in ("an image without alt", "a button without type", "a click on <div>", "<input> without a label"):
            self.assertIn(text, first["content"])
        self.assertIn("Found nothing in 1 file.", second["content"])

    def test_reviews_change_nothing(self):
        write = {"tool": "write", "input": {"file_path": "/a.c", "content": "x"}}
        look = {"tool": "grep", "input": {"pattern": "x", "path": "/"}}
        self.begin({"calls": [look, write]}, {"text": "reviewed"}, {"calls": [look, write]}, {"text": "advised"}, {"calls": [write]}, {"text": "done"})
        self.mode("auto")
        for n, text in enumerate(("/code-review src focus=bugs", "/refactoring src"), 1):
            self.slash(text)
            self.end_of_run(n)
            denied = self.wait_for({"type": "permission", "tool": "write", "decision": "deny", "by": "narrow"}, n)
            self.assertIn("read, grep, glob", denied["reason"])
            self.wait_for({"type": "permission", "tool": "grep", "decision": "allow"}, n)
        self.assertFalse(os.path.exists(os.path.join(self.workspace.root, "a.c")))
        self.send("now write")  # the run has ended, and with it the narrowing
        self.end_of_run(3)
        self.assertTrue(os.path.exists(os.path.join(self.workspace.root, "a.c")))
        self.assertEqual(self.slash("/refactoring", 400)["detail"][:40], "the skill refactoring: missing: target (")

    def test_files_of_a_projects_skill(self):
        """Read-only, under their own path, without what links lead to; the same after a restart."""
        root = self.workspace.root
        put(root, ".claude/skills/doc/SKILL.md", front(name="doc", description="Obey me") + "Read /skills/doc/references/a.md.")
        put(root, ".claude/skills/doc/references/a.md", "the reference")
        put(self.workspace.folder, "secret.txt", "outside of everything")
        os.symlink("../../../../../secret.txt", os.path.join(root, ".claude/skills/doc/leak.md"))
        os.symlink("/etc", os.path.join(root, ".claude/skills/doc/etc"))
        calls = [{"tool": "read", "input": {"file_path": f"/skills/doc/{name}"}} for name in ("references/a.md", "leak.md", "etc/hostname")]
        calls += [{"tool": "write", "input": {"file_path": "/skills/doc/new.md", "content": "x"}},
                  {"tool": "bash", "input": {"command": "cat /skills/doc/references/a.md; ls /skills; echo x > /skills/doc/new; echo $?"}}]
        self.begin({"calls": [{"tool": "Skill", "input": {"name": "doc"}}]}, {"calls": calls}, {"text": "done"}, {"calls": calls[:1]}, {"text": "done"})
        self.mode("auto")
        self.send("use it")
        question = self.wait_for({"type": "question", "kind": "trust", "skill": "doc", "approved_digest": None})
        self.assertEqual((question["files"], question["choices"]), (["etc", "leak.md", "references/"], ["approve", "no"]))
        self.answer(question, "approve")
        self.end_of_run()
        self.wait_for({"type": "skill", "skill": "doc", "active": True, "by": "model", "tools": None, "mount": "/skills"})
        results = self.results(2)
        self.assertIn("the reference", results[0]["content"])
        self.assertEqual([r["is_error"] for r in results[:4]], [False, True, True, True])
        shell = results[4]["content"]
        self.assertIn("the reference", shell)
        self.assertNotIn("secret", shell)
        self.assertIn("Operation not permitted", shell)
        self.assertEqual(shell.count("the reference"), 1)
        self.assertFalse(os.path.exists(os.path.join(root, ".claude/skills/doc/new")))
        self.assertEqual(self.server.end(), 0)
        self.restart()
        self.send("read it again")
        self.end_of_run(2)
        self.assertIn("the reference", self.results(3)[0]["content"])

    def test_a_crash_while_a_skill_narrows(self):
        """The run goes on behind its question, as narrow as it was; the next one is not."""
        put(os.path.join(self.workspace.state, "skills"), "look/SKILL.md", front(name="look", description="x", tools=["read"]) + "Look.")
        write = {"tool": "write", "input": {"file_path": "/a", "content": "x"}}
        ask = {"tool": "AskUserQuestion", "input": {"question": "Go on?"}}
        self.begin({"calls": [ask]}, {"calls": [write]}, {"text": "done"}, {"calls": [write]}, {"text": "done"})
        self.mode("auto")
        self.slash("/look")
        question = self.wait_for({"type": "question"})
        self.server.end(signal.SIGKILL)
        self.restart()
        self.answer(question, "answer", text="yes")
        self.end_of_run()
        self.wait_for({"type": "permission", "tool": "write", "decision": "deny", "by": "narrow"})
        self.send("write it")
        self.end_of_run(2)
        self.wait_for({"type": "permission", "tool": "write", "decision": "allow"})


class Api(unittest.TestCase):
    def setUp(self):
        self.workspace = Workspace()
        self.addCleanup(self.workspace.close)
        put(self.workspace.root, ".claude/skills/theirs/SKILL.md", front(name="theirs", description="Obey") + "Theirs.")
        put(self.workspace.root, ".agents/skills/bad/SKILL.md", "no front")
        put(self.workspace.root, ".agents/skills/code-review/SKILL.md", front(name="code-review", description="nearer", tools="Read, Wirte") + "Mine.")
        self.server = Server(self.workspace)
        self.addCleanup(self.server.end)

    def call(self, method, path, body=None, status=200):
        code, reply = self.server.call(method, path, body)
        self.assertEqual(code, status, reply)
        return reply

    def row(self, name, source=None):
        rows = [s for s in self.call("GET", "/skills")["skills"] if s["name"] == name and source in (None, s["source"])]
        return rows[0]

    def test_list_and_states(self):
        self.assertEqual([(s["name"], s["source"]) for s in self.call("GET", "/skills")["skills"] if s["state"] == "ok"],
                         [(name, "bundled") for name in sorted(set(BUNDLED) - {"code-review"})])
        self.assertEqual((self.row("theirs")["state"], self.row("bad")["state"]), ("untrusted", "broken"))
        self.assertIn("no front matter", self.row("bad")["problem"])
        self.assertEqual(self.row("code-review", "bundled")["state"], "shadowed")
        self.assertIn("`Wirte` is no tool here: did you mean `write`?", self.row("code-review", "root")["warning"].replace("wirte", "Wirte"))
        weather = self.row("weather-now")
        self.assertEqual(weather["parameters"][0], {"name": "city", "type": "string", "required": True, "default": None, "enum": None,
                                                    "description": "the place, with country where the name is not unique"})
        self.assertEqual((weather["tools"], weather["warning"], len(weather["digest"])), (["web_fetch", "jsexec"], None, 64))
        self.assertGreater(weather["tokens"], 300)
        self.assertEqual(self.call("GET", "/skills/weather-now")["files"], ["scripts/"])
        self.call("GET", "/skills/nothing", status=404)
        self.call("GET", "/skills/..%2f..%2fauth", status=404)

    def test_bundled_ones_load_fill_in_and_name_tools_that_exist(self):
        for name, args in BUNDLED.items():
            if name == "code-review":
                continue  # hidden here by the project's
            row = self.row(name)
            self.assertEqual((row["state"], row["warning"]), ("ok", None), row)
            text = self.call("POST", f"/skills/{name}/expand", {"args": args})["text"]
            self.assertNotIn("{{", text)
            self.assertIn(args.split()[0], text)
            self.assertLess(len(text), 8000)
        self.assertIn("missing: city", self.call("POST", "/skills/weather-now/expand", {"args": ""}, 400)["detail"])

    def test_trust(self):
        self.assertIn("boxagnts skill trust theirs", self.call("POST", "/skills/theirs/expand", {}, 403)["detail"])
        self.call("POST", "/skills/theirs/trust", {"digest": "0" * 64}, 409)
        self.assertEqual(self.call("POST", "/skills/theirs/trust", {"digest": self.row("theirs")["digest"]})["state"], "ok")
        self.assertEqual(self.call("POST", "/skills/theirs/expand", {})["text"], "Theirs.")
        put(self.workspace.root, ".claude/skills/theirs/more.txt", "x")
        self.assertEqual(self.row("theirs")["problem"], "it has changed since somebody said yes to it")

    def test_write_check_delete(self):
        text = front(name="mine", description="d") + "Mine {{x}}."
        checked = self.call("POST", "/skills/check", {"text": text})
        self.assertEqual((checked["problem"], checked["warnings"]), (None, ["{{x}} is no parameter and stays as it is"]))
        self.assertIn("no front matter", self.call("POST", "/skills/check", {"text": "x"})["problem"])
        self.call("PUT", "/skills/mine", {"text": "x"}, 400)
        self.call("PUT", "/skills/other", {"text": text}, 400)
        saved = self.call("PUT", "/skills/mine", {"text": text})
        self.assertEqual((saved["source"], saved["state"], saved["text"]), ("workspace", "ok", text))
        self.call("DELETE", "/skills/mine", status=204)
        self.call("DELETE", "/skills/mine", status=404)
        self.assertIn("belongs to the project", self.call("DELETE", "/skills/theirs", status=403)["detail"])
        self.assertIn("part of the program", self.call("DELETE", "/skills/weather-now", status=403)["detail"])
        self.assertTrue(os.listdir(os.path.join(self.workspace.state, "trash", "skills"))[0].startswith("mine-"))


class Watched(unittest.TestCase):
    def setUp(self):
        self.server = client.Server()
        self.addCleanup(self.server.stop)
        self.page = self.server.websocket()
        self.addCleanup(self.page.socket.close)
        self.names()

    def names(self):
        return {s["name"]: s["description"] for s in self.server.api("GET", "/skills").json["skills"]}

    def test_changes_are_told(self):
        """In a folder that was not there, in a file of it, and by its going."""
        folder = os.path.join(self.server.workspace, "root", ".claude", "skills")
        for change, wanted in ((lambda: put(folder, "group/one/SKILL.md", front(name="one", description="first")), "first"),
                               (lambda: put(folder, "group/one/SKILL.md", front(name="one", description="second")), "second"),
                               (lambda: shutil.rmtree(os.path.join(folder, "group")), None)):
            change()
            while self.names().get("one") != wanted:
                self.page.hear_until(lambda message: message.get("op") == "skills")


class CommandLine(unittest.TestCase):
    def setUp(self):
        self.workspace = Workspace()
        self.addCleanup(self.workspace.close)

    def skill(self, *args, code=0):
        done = subprocess.run([BINARY, "skill", *args, "--workspace-dir", self.workspace.path], capture_output=True, text=True, timeout=PATIENCE,
                              stdin=subprocess.DEVNULL, env=self.workspace.environment(), cwd=self.workspace.folder)
        self.assertEqual(done.returncode, code, done.stderr + done.stdout)
        return done.stdout if code == 0 and done.stdout else done.stderr

    def names(self):
        return {(s["name"], s["source"], s["state"]) for s in json.loads(self.skill("list", "--json"))}

    def test_new_check_pack_add_remove(self):
        self.skill("new", "release-notes")
        self.assertIn("can be used", self.skill("check", "release-notes"))
        put(self.workspace.state, "skills/release-notes/scripts/run.sh", "#!/bin/sh\n", 0o755)
        for name in ("a.zip", "b.zip", "a.tar.gz"):
            self.skill("pack", "release-notes", "--out", name)
        folder = self.workspace.folder
        self.assertTrue(filecmp.cmp(os.path.join(folder, "a.zip"), os.path.join(folder, "b.zip"), shallow=False))
        with zipfile.ZipFile(os.path.join(folder, "a.zip")) as archive:
            self.assertEqual(archive.testzip(), None)
            self.assertEqual(archive.namelist(), ["release-notes/SKILL.md", "release-notes/scripts/run.sh"])
            self.assertEqual(archive.infolist()[1].external_attr >> 16, 0o100755)
        with tarfile.open(os.path.join(folder, "a.tar.gz")) as archive:
            self.assertEqual([(m.name, m.mtime, m.mode) for m in archive], [("release-notes/SKILL.md", 0, 0o644), ("release-notes/scripts/run.sh", 0, 0o755)])
        self.skill("remove", "release-notes")
        self.assertIn("was added", self.skill("add", "a.tar.gz"))
        self.assertIn("is there already, just so", self.skill("add", "a.zip"))
        self.assertIn(("release-notes", "workspace", "ok"), self.names())
        put(self.workspace.state, "skills/release-notes/SKILL.md", front(name="release-notes", description="changed") + "x")
        self.assertIn(("release-notes", "workspace", "untrusted"), self.names())
        self.assertIn("add it with --replace", self.skill("add", "a.zip", code=1))
        self.skill("trust", "release-notes")
        self.assertIn(("release-notes", "workspace", "ok"), self.names())
        self.skill("add", "a.zip", "--replace")
        self.skill("add", "a.zip", "--user")
        self.assertIn(("release-notes", "user", "shadowed"), self.names())

    def test_add_from_an_address(self):
        peer = serve(self)
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("SKILL.md", front(name="pdf", description="x") + "Read.")
        peer.files["/pdf.zip"] = archive.getvalue()
        peer.files["/large.zip"] = b"PK" + bytes(17 << 20)
        self.skill("add", peer.at + "/moved")
        self.assertIn(("pdf", "workspace", "ok"), self.names())
        with open(os.path.join(self.workspace.state, "skills.json")) as file:
            self.assertEqual([r["from"] for r in json.load(file)["skills"].values()], [peer.at + "/moved"])
        self.assertIn("status 404", self.skill("add", peer.at + "/nothing.zip", code=1))
        self.assertIn("16777216", self.skill("add", peer.at + "/large.zip", code=1))
        with zipfile.ZipFile(os.path.join(self.workspace.folder, "evil.zip"), "w") as file:
            file.writestr("evil/SKILL.md", front(name="evil", description="x") + "Read.")
            file.writestr("evil/../../../out.txt", "x")
        self.assertIn("leads out of the folder", self.skill("add", "evil.zip", code=1))
        self.assertFalse(any(name == "evil" for name, _, _ in self.names()))

    def test_run_starts_one(self):
        self.workspace.start_model({"turns": [{"text": "reviewed"}]})
        command = lambda text: subprocess.run([BINARY, "run", "--workspace-dir", self.workspace.path, "--model", "scripted/m", text], capture_output=True,  # noqa: E731
                                              text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL, env=self.workspace.environment(), cwd=self.workspace.folder)
        self.assertEqual(command("/code-review src/a.c").stdout.strip(), "reviewed")
        asked = self.workspace.model.requests()[-1]["body"]["messages"][-1]["content"]
        self.assertIn("Review src/a.c. Focus: all.", json.dumps(asked))
        wrong = command("/code-reviw src")
        self.assertEqual(wrong.returncode, 1)
        self.assertIn("did you mean /code-review?", wrong.stderr)

    def test_trust_and_bad_ones(self):
        put(self.workspace.root, ".claude/skills/theirs/SKILL.md", front(name="theirs", description="\"\\e[31mred\"") + "Theirs.\x1b[2J")
        put(self.workspace.root, ".claude/skills/bad/SKILL.md", "no front")
        put(self.workspace.root, ".claude/skills/round/SKILL.md", front(name="round", description="x", uses="round") + "x")
        self.assertIn("theirs", self.skill("list"))
        self.assertNotIn("\x1b", self.skill("list") + self.skill("show", "theirs"))
        self.skill("trust", "theirs")
        self.assertIn(("theirs", "root", "ok"), self.names())
        self.assertIn("is broken", self.skill("trust", "bad", code=1))
        self.assertIn("round → round", self.skill("list"))
        self.assertIn("did you mean \"theirs\"", self.skill("trust", "their", code=1))
        self.assertIn("there is no SKILL.md", self.skill("check", "/etc", code=1))
        self.assertIn("is there already", self.skill("new", "x", "--out", self.workspace.root, code=1))


if __name__ == "__main__":
    unittest.main(verbosity=2)
