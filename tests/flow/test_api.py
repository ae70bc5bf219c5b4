#!/usr/bin/env python3
"""docs/openapi.json and docs/api.md against the running server; a conversation with a scripted model, its answers resumed.
BOXAGNTS=path/to/boxagnts SCRIPTED_ENDPOINT=path/to/scripted_endpoint python3 tests/flow/test_api.py"""
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "attack"))
from client import Server, request_bytes  # noqa: E402

ROOT = os.path.join(HERE, "..", "..")
NOBODY = "00000000-0000-7000-8000-000000000000"


class Model:
    """The scripted model, as a provider of the settings."""

    def __init__(self, script):
        self.file = tempfile.NamedTemporaryFile("w", suffix=".json")
        json.dump(script, self.file)
        self.file.flush()
        self.process = subprocess.Popen([os.environ["SCRIPTED_ENDPOINT"], self.file.name], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[1])

    def use(self, server):
        provider = {"base_url": f"http://127.0.0.1:{self.port}/v1", "models": [{"id": "m", "window": 32768}]}
        return server.api("PUT", "/settings", {"providers": {"scripted": provider}, "model": "scripted/m"})

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()
        self.file.close()


TYPES = {"string": str, "integer": int, "boolean": bool, "object": dict, "array": list, "null": type(None)}


def fits(document, schema, value, where="reply"):
    """The part of JSON Schema that docs/openapi.json uses."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    if "type" in schema:
        names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        kinds = [TYPES[name] for name in names if name != "number"] + [int, float] * ("number" in names)
        assert type(value) in kinds, f"{where} is {value!r}, not {names}"
    if "enum" in schema:
        assert value in schema["enum"], f"{where} is {value!r}"
    if schema.get("format") == "date-time":
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value), f"{where} is {value!r}"
    if isinstance(value, dict):
        for name in schema.get("required", []):
            assert name in value, f"{where} has no {name}"
        for name, item in value.items():
            if name in schema.get("properties", {}):
                fits(document, schema["properties"][name], item, f"{where}.{name}")
            else:
                more = schema.get("additionalProperties", True)
                assert more is not False, f"{where} has {name}, which is not documented"
                if isinstance(more, dict):
                    fits(document, more, item, f"{where}.{name}")
    if isinstance(value, list) and "items" in schema:
        for i, item in enumerate(value):
            fits(document, schema["items"], item, f"{where}[{i}]")


class Documented(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with open(os.path.join(ROOT, "docs", "openapi.json")) as file:
            cls.document = json.load(file)
        cls.server = Server()
        cls.model = Model([{"text": "hello"}])
        assert cls.model.use(cls.server).status == 200

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.model.stop()

    def call(self, method, template, body=None, query="", **names):
        """One request; its status must be documented and its body must fit what is documented for it."""
        operation = self.document["paths"][template][method.lower()]
        reply = self.server.request(method, template.format(**names) + query, body,
                                    [("Authorization", "Bearer " + self.server.bearer)])
        self.assertIn(str(reply.status), operation["responses"], (method, template, reply))
        content = operation["responses"][str(reply.status)].get("content")
        if content is None:
            self.assertEqual(reply.body, b"")
        else:
            mime = reply.headers["content-type"]
            self.assertIn(mime, content)
            if "json" in mime:
                fits(self.document, content[mime]["schema"], reply.json)
        self.seen.add((method, template))
        return reply

    def test_every_path(self):
        self.seen = set()
        sessions, one = "/api/v1/sessions", "/api/v1/sessions/{session}"
        for path in ["/healthz", "/readyz", "/version", "/api/v1/models", "/api/v1/settings", "/api/v1/tools", "/api/v1/receipts", "/api/v1/system"]:
            self.assertEqual(self.call("GET", path).status, 200)
        row = self.call("POST", sessions, {"title": "first"})
        self.assertEqual((row.status, row.json["title"], row.json["model"]), (201, "first", "scripted/m"))
        session = row.json["id"]
        self.assertEqual(self.call("POST", sessions, {"model": "no/such"}).json["field"], "model")
        self.assertEqual(self.call("POST", sessions, {"mode": "yolo"}).json["field"], "mode")
        self.assertEqual(self.call("GET", sessions).json["sessions"][0]["id"], session)
        self.assertEqual(self.call("GET", sessions, query="?q=FIRST").json["sessions"][0]["id"], session)
        self.assertEqual(self.call("GET", sessions, query="?q=nobody").json["sessions"], [])
        self.assertEqual(self.call("GET", sessions, query="?limit=x").json["field"], "limit")
        self.assertEqual(self.call("GET", sessions, query="?limit=501").status, 400)
        self.assertEqual(self.call("GET", one, session=session).json["header"]["title"], "first")
        patched = self.call("PATCH", one, {"title": "second", "mode": "plan"}, session=session).json
        self.assertEqual((patched["title"], patched["mode"]), ("second", "plan"))
        self.assertEqual(self.call("POST", one + "/stop", session=session).status, 409)
        self.assertEqual(self.call("DELETE", one + "/queued/{queued}", session=session, queued=NOBODY).status, 404)
        for bad in ({"tokens": 0}, {"money": -1}, {"time": "soon"}, {"tokns": 5}, {"calls": "7"}):
            self.assertEqual(self.call("PATCH", one, {"budget": bad}, session=session).json["field"], "budget")
            self.assertEqual(self.call("PUT", "/api/v1/settings", {"budgets": bad}).json["field"], "budgets")
        self.assertEqual(self.call("PATCH", one, {"budget": {"tokens": 5000000, "time": "10m"}}, session=session).status, 200)
        self.assertEqual(self.call("PATCH", one, {"budget": {"tokens": None, "calls": 9}}, session=session).status, 200)
        self.assertEqual(self.call("GET", one, session=session).json["budget"], {"time": "10m", "calls": 9})
        self.assertEqual(self.call("PATCH", one, {"budget": None}, session=session).status, 200)
        self.assertEqual(self.call("GET", one, session=session).json["budget"], {})
        self.assertEqual(self.call("POST", one + "/command", {"text": "/help"}, session=session).json["kind"], "text")
        self.assertEqual(self.call("POST", one + "/command", {"text": "/nothing-like-it"}, session=session).json["field"], "text")
        self.assertEqual(self.call("GET", one + "/executors", session=session).json, {"executors": []})
        self.assertEqual(self.call("GET", "/api/v1/commands").json["commands"][0]["name"], "help")
        self.assertEqual(self.call("GET", "/api/v1/files", query="?q=nobody").json, {"files": [], "cut": False})
        self.assertEqual(self.call("GET", "/api/v1/files", query="?limit=0").json["field"], "limit")
        self.assertEqual(self.call("POST", one + "/messages", {"text": "  "}, session=session).json["field"], "text")
        self.assertEqual(self.call("POST", one + "/messages", {}, session=session).json["field"], "text")
        with self.server.websocket() as ws:
            ws.say(op="subscribe", session=session)
            self.assertEqual(self.call("POST", one + "/messages", {"text": "hi"}, session=session).status, 202)
            ws.hear_until(lambda m: m.get("event", {}).get("type") == "run_end")
        self.assertEqual(self.call("POST", one + "/messages", {"text": "x", "replace": -1}, session=session).json["field"], "replace")
        self.assertEqual(self.call("POST", one + "/messages", {"text": "x", "replace": 1}, session=session).status, 400)
        page = self.call("GET", one + "/events", query="?from=2&limit=3", session=session).json
        self.assertEqual([e["seq"] for e in page["events"]], [2, 3, 4])
        self.assertEqual(page["next"], 5)
        events = self.call("GET", one + "/events", session=session).json
        self.assertIsNone(events["next"])
        self.assertEqual([e["seq"] for e in events["events"]], list(range(1, len(events["events"]) + 1)))
        self.assertEqual(self.call("GET", one + "/events", query="?from=0", session=session).json["field"], "from")
        self.assertEqual(self.call("GET", one + "/events", query="?before=0", session=session).json["field"], "before")
        newest = self.call("GET", one + "/events", query="?before=999999&limit=2", session=session).json
        self.assertEqual((newest["events"], newest["next"]), (events["events"][-2:], None))
        page = self.call("GET", one + "/events", query=f"?before={newest['first']}&limit=3", session=session).json
        self.assertEqual((page["events"], page["next"]), (events["events"][-5:-2], newest["first"]))
        rest = self.call("GET", one + "/events", query=f"?before={page['first']}", session=session).json
        self.assertEqual((rest["events"], rest["first"]), (events["events"][:-5], 1))
        self.assertEqual(self.call("GET", one + "/events", query="?before=1", session=session).json["events"], [])
        row = self.call("PATCH", one, {"pinned": True, "planner": True}, session=session).json
        self.assertEqual((row["pinned"], row["planner"], row["kind"]), (True, True, "chat"))
        self.assertEqual(self.call("GET", sessions, query="?pinned=1").json["sessions"], [row])
        self.assertEqual(self.call("GET", sessions, query="?kind=executor").json["sessions"], [])
        self.assertEqual(self.call("GET", sessions, query="?kind=x").json["field"], "kind")
        self.assertEqual(self.call("GET", sessions, query="?parent=" + session).json["sessions"], [])
        self.assertFalse(self.call("PATCH", one, {"pinned": False}, session=session).json["pinned"])
        hit = self.call("GET", sessions, query="?q=HELLO&in=text").json
        self.assertEqual(([(r["id"], r["hit"]["text"]) for r in hit["sessions"]], hit["more"]), ([(session, "hello")], False))
        self.assertEqual(self.call("GET", sessions, query="?q=hello").json["sessions"], [])
        self.assertEqual(self.call("GET", sessions, query="?q=hello&in=x").json["field"], "in")
        usage = self.call("GET", one + "/usage", session=session).json
        self.assertEqual((usage["turns"], [r["reason"] for r in usage["runs"]], usage["by_model"][0]["model"]), (1, ["done"], "scripted/m"))
        self.assertEqual(self.call("POST", one + "/fork", {"seq": 0}, session=session).json["field"], "seq")
        self.assertEqual(self.call("POST", one + "/fork", {"seq": 99999}, session=session).json["field"], "seq")
        copy = self.call("POST", one + "/fork", {"seq": 2}, session=session).json
        self.assertEqual(copy["forked_from"], {"session": session, "seq": 2})
        for do, left in (("pin", 1), ("unpin", 0)):
            self.assertEqual(self.call("POST", sessions + "/bulk", {"do": do, "ids": [copy["id"]]}).json["done"], [copy["id"]])
            self.assertEqual(len(self.call("GET", sessions, query="?pinned=1").json["sessions"]), left)
        done = self.call("POST", sessions + "/bulk", {"do": "delete", "ids": [copy["id"], NOBODY]}).json
        self.assertEqual((done["done"], [f["id"] for f in done["failed"]]), ([copy["id"]], [NOBODY]))
        self.assertEqual(self.call("GET", one, session=copy["id"]).status, 404)
        self.assertEqual([r["id"] for r in self.call("GET", sessions, query="?place=trash").json["sessions"]], [copy["id"]])
        self.assertEqual(self.call("GET", sessions, query="?place=archive").json["sessions"], [])
        self.assertEqual(self.call("GET", sessions, query="?place=moon").json["field"], "place")
        self.assertEqual(self.call("POST", sessions + "/bulk", {"do": "burn", "ids": []}).json["field"], "do")
        self.assertEqual(self.call("POST", sessions + "/bulk", {"do": "pin", "ids": [7]}).json["field"], "ids")
        self.assertEqual(self.call("POST", one + "/restore", session=copy["id"]).json["id"], copy["id"])
        self.assertEqual(self.call("POST", one + "/restore", session=copy["id"]).status, 404)
        self.assertEqual(self.call("DELETE", one, session=copy["id"]).status, 204)
        events = self.call("GET", one + "/events", session=session).json
        document = self.call("GET", one + "/export", session=session).json
        self.assertEqual((document["format"], document["events"]), ("boxagnts-session", events["events"]))
        self.assertEqual(self.call("GET", one + "/export", query="?format=pdf", session=session).json["field"], "format")
        page = self.call("GET", one + "/export", query="?format=html", session=session)
        self.assertIn("attachment", page.headers["content-disposition"])
        self.assertIn(b"<!doctype html>", page.body)
        imported = self.call("POST", sessions + "/import", document).json
        self.assertEqual((imported["warnings"], imported["session"]["title"]), (["not carried over: its budget: set it anew (3)"], "second"))
        self.assertEqual(self.call("POST", sessions + "/import", {"no": "session"}).status, 400)
        self.assertEqual(self.call("DELETE", one, session=imported["session"]["id"]).status, 204)
        bad = {"question": "q", "choice": "perhaps"}
        self.assertEqual(self.call("POST", one + "/answers", bad, session=session).json["field"], "choice")
        self.assertEqual(self.call("POST", one + "/answers", {"question": "q", "choice": "no"}, session=session).status, 404)
        self.assertEqual(self.call("GET", "/api/v1/retention").json["delete_after_days"], None)
        for bad in (7, {"delete_after_days": 0}, {"days": 3}):
            self.assertEqual(self.call("PUT", "/api/v1/settings", {"retention": bad}).json["field"], "retention")
        self.assertEqual(self.call("PUT", "/api/v1/settings", {"retention": {"archive_after_days": 90}}).status, 200)
        kept = self.call("GET", "/api/v1/retention").json
        self.assertEqual((kept["archive_after_days"], kept["would_archive"], kept["would_delete"]), (90, [], []))
        self.assertEqual(self.call("PUT", "/api/v1/settings", {"retention": None}).status, 200)
        tool = "/api/v1/tools/{tool}/run"
        with open(self.server.workspace + "/root/a.txt", "w") as file:
            file.write("content of a\n")
        result = self.call("POST", tool, {"input": {"file_path": "a.txt"}}, tool="read").json
        self.assertFalse(result["is_error"], result)
        self.assertIn("content of a", json.dumps(result["content"]))
        recorded = self.call("GET", "/api/v1/receipts", query="?tool=read&limit=1").json["receipts"]
        self.assertEqual([(r["tool"], r["verdict"]) for r in recorded], [("read", "ok")])
        self.assertTrue(self.call("POST", tool, {"input": {"file_path": 7}}, tool="read").json["is_error"])
        self.assertEqual(self.call("POST", tool, {"input": {}}, tool="nothing").status, 404)
        self.assertEqual(self.call("PUT", "/api/v1/settings", {"limits": {"read": {"time": "1ns"}}}).json["field"], "limits")
        self.assertEqual(self.call("PUT", "/api/v1/settings", {"limits": {"read": {"time": "7s"}}}).status, 200)
        tools = {t["name"]: t for t in self.call("GET", "/api/v1/tools").json["tools"]}
        time = tools["read"]["limits"]["time"]
        self.assertEqual((time["value"], time["unit"], time["from"], time["key"]), (7000, "ms", "settings", "read"))
        self.assertNotIn("limits", self.call("PUT", "/api/v1/settings", {"limits": None}).json)
        one_tool, limits, grants = "/api/v1/tools/{tool}", "/api/v1/tools/{tool}/limits", "/api/v1/grants"
        self.assertEqual(self.call("GET", one_tool, tool="nothing").status, 404)
        self.assertEqual(self.call("PUT", limits, {"limits": {"tiem": "9s"}}, tool="read").json["field"], "limits")
        set_ = self.call("PUT", limits, {"limits": {"time": "9s", "map_dirs": []}}, tool="read").json
        self.assertEqual((set_["limits"]["time"]["value"], set_["settings"]), (9000, {"time": "9s", "map_dirs": []}))
        self.assertEqual(set_["reach"]["map_dirs"], {"value": [], "from": "settings", "key": "read", "limit": "path",
                                                     "what": set_["reach"]["map_dirs"]["what"]})
        self.assertEqual(self.call("PUT", limits, {"limits": {"cpu": "3s"}}, tool="*").json["limits"]["*"], {"cpu": "3s"})
        self.assertEqual(self.call("PUT", limits, {"limits": {}}, tool="nothing").status, 404)
        self.assertIsNone(self.call("PUT", limits, {"limits": None}, tool="read").json["settings"])
        self.call("PUT", limits, {"limits": None}, tool="*")
        seen = self.call("GET", one_tool, tool="read").json
        self.assertEqual((seen["limits"]["time"]["from"], seen["mounts"][0]["guest"]), ("default", "/"))
        for bad in ({"tool": "read"}, {"tool": "read", "scope": "workspace", "verdict": "maybe"},
                    {"tool": "read", "limits": {"time": "9s"}, "scope": "workspace", "verdict": "deny"}, {"tool": "read", "host": "a b", "scope": "once"},
                    {"tool": "read", "limits": {"time": "1ns"}, "scope": "workspace"}, {"tool": "read", "host": "*", "scope": "session"},
                    {"tool": "read", "host": "*", "scope": "ever"}, {"tool": "read", "host": "*", "scope": "once", "max_calls": 0},
                    {"tool": "read", "host": "*", "scope": "workspace", "expires_at": "2020-01-01T00:00:00Z"}):
            self.assertEqual(self.call("POST", grants, bad).status, 400, bad)
        wide = self.call("POST", grants, {"tool": "read", "limits": {"time": "50s"}, "scope": "workspace", "max_calls": 2}).json["id"]
        own = self.call("POST", grants, {"tool": "read", "host": "https://a.example", "scope": "session", "session": session}).json["id"]
        both = {g["id"]: g for g in self.call("GET", grants, query="?session=" + session).json["grants"]}
        self.assertEqual((both[wide]["calls_left"], both[wide]["state"], both[own]["session"]), (2, "active", session))
        self.assertNotIn(own, [g["id"] for g in self.call("GET", grants).json["grants"]])
        test, line = "/api/v1/permit/test", {"tool": "bash", "input": {"command": "git status && rm -r x"}}
        plain = self.call("POST", test, line).json
        self.assertEqual((plain["decision"], plain["by"], [p["decision"] for p in plain["parts"]]), ("ask", "mode", ["ask", "ask"]))
        ids = [self.call("POST", grants, dict(rule, scope="workspace")).json["id"] for rule in (
            {"tool": "bash", "command": "git *"}, {"tool": "bash", "command": "rm *", "verdict": "deny"}, {"tool": "wri*", "verdict": "ask"})]
        judged = self.call("POST", test, line).json
        self.assertEqual((judged["decision"], judged["by"], judged["rule"]), ("deny", "rule", ids[1]))
        self.assertEqual(judged["parts"], [{"command": "git status", "decision": "allow"}, {"command": "rm -r x", "decision": "deny"}])
        allowed = self.call("POST", test, {"tool": "bash", "input": {"command": "git log"}}).json
        self.assertEqual((allowed["decision"], allowed["denied_commands"]), ("allow", ["rm *"]))
        self.assertNotIn("denied_commands", judged)
        write = {"tool": "write", "input": {"file_path": "/a", "content": ""}}
        self.assertEqual(self.call("POST", test, dict(write, mode="accept-edits")).json["rule"], ids[2])
        self.assertEqual(self.call("POST", test, dict(write, mode="plan")).json["decision"], "deny")
        self.assertEqual(self.call("POST", test, dict(write, session=session)).json["by"], "narrow")  # the session is a planner
        self.assertEqual(self.call("POST", test, {"tool": "wrte", "input": {}}).status, 404)
        self.assertEqual(self.call("POST", test, {"tool": "write", "input": {}}).status, 400)
        self.assertEqual(self.call("POST", test, dict(write, mode="yolo")).status, 400)
        for rule in ids:
            self.assertEqual(self.call("DELETE", "/api/v1/grants/{grant}", grant=rule).status, 204)
        self.assertEqual(self.call("POST", test, dict(write, mode="accept-edits")).json["decision"], "allow")
        one_grant = "/api/v1/grants/{grant}"
        self.assertEqual(self.call("DELETE", one_grant, grant=own).status, 404)
        self.assertEqual(self.call("DELETE", one_grant, query="?session=" + session, grant=own).status, 204)
        self.assertEqual(self.call("DELETE", one_grant, grant=wide).status, 204)
        self.assertEqual(self.call("GET", grants, query="?session=" + session).json["grants"], [])
        self.agents()
        self.skills()
        self.context(session)
        self.worktrees()
        mcp, entry = "/api/v1/mcp", {"command": sys.executable, "args": [os.path.join(ROOT, "tests", "peers", "mcp", "fake.py")]}
        self.assertEqual(self.call("GET", mcp).json, {"servers": []})
        self.assertEqual(self.call("PUT", mcp + "/{server}", {"entry": {"command": 7}}, server="x").json["field"], "entry")
        self.assertEqual(self.call("PUT", mcp + "/{server}", {"entry": entry}, server="x").status, 200)
        up = self.call("POST", mcp + "/{server}/restart", server="x").json["servers"][0]
        self.assertEqual(up["state"], "up")
        self.assertEqual(self.call("POST", mcp + "/{server}/approve", {"digest": up["digest"]}, server="x").status, 200)
        self.assertEqual(self.call("POST", mcp + "/{server}/approve", {"digest": up["digest"], "tool": "echo"}, server="x").status, 409)
        self.assertEqual(self.call("POST", mcp + "/{server}/approve", {"tool": "echo"}, server="x").json["field"], "digest")
        self.assertEqual(self.call("GET", mcp + "/{server}/prompts", server="x").json["prompts"][0]["name"], "greet")
        self.assertEqual(self.call("POST", mcp + "/{server}/login", server="x").status, 400)
        self.assertEqual(self.call("POST", mcp + "/{server}/logout", server="x").status, 200)
        self.assertEqual(self.call("DELETE", mcp + "/{server}", server="x").json, {"servers": []})
        self.assertEqual(self.call("POST", mcp + "/{server}/approve", {"digest": up["digest"]}, server="nobody").status, 404)
        for method, what in (("POST", "/restart"), ("GET", "/prompts"), ("POST", "/login"), ("POST", "/logout"), ("DELETE", "")):
            self.assertEqual(self.call(method, mcp + "/{server}" + what, server="nobody").status, 404)
        key = "/api/v1/providers/{provider}/key"
        self.assertEqual(self.call("PUT", key, {"key": "k-1"}, provider="scripted").status, 204)
        self.assertEqual(self.call("PUT", key, {"key": "k-1"}, provider="nobody").status, 404)
        self.assertEqual(self.call("PUT", key, {"key": "two words"}, provider="scripted").json["field"], "key")
        self.assertEqual(self.call("DELETE", one, session=session).status, 204)
        for method, template in sorted(self.seen):
            if "{session}" in template:
                body = {"PATCH": {"title": "x"}, "POST": {"text": "x"}}.get(method)
                if template.endswith("/answers"):
                    body = {"question": "q", "choice": "no"}
                if template.endswith(("/stop", "/restore", "/fork", "/compact")):
                    body = None
                if template.endswith("/packs"):
                    body = {"name": "x"}
                for nobody in (session, NOBODY, "no-id")[template.endswith("/restore"):]:
                    self.assertEqual(self.call(method, template, body, session=nobody, queued=nobody, fact="x", pack="x").status, 404)
        documented = {(m.upper(), p) for p, item in self.document["paths"].items() for m in item if m != "parameters"}
        self.assertEqual(self.seen, documented)

    def context(self, session):
        one, packs, pack, memory = "/api/v1/sessions/{session}", "/api/v1/packs", "/api/v1/packs/{pack}", "/api/v1/memory"
        fact = self.call("POST", one + "/facts", {"text": " Pay in euros. "}, session=session).json["id"]
        self.assertEqual(self.call("POST", one + "/facts", {"text": "  "}, session=session).json["field"], "text")
        self.assertEqual(self.call("POST", one + "/facts", {"text": "x" * 2001}, session=session).json["field"], "text")
        text = {"kind": "text", "text": "the words of the pack"}
        for bad in ({"items": [{"kind": "pack"}]}, {"items": [{"kind": "file"}]}):
            self.assertEqual(self.call("PUT", pack, bad, pack="p").json["field"], "items")
        self.assertEqual(self.call("PUT", pack, {"items": [text]}, pack="no name").status, 400)
        made = self.call("PUT", pack, {"description": "d", "items": [text, {"kind": "file", "path": "/gone"}]}, pack="p").json
        self.assertIn("/gone", made["problem"])
        self.assertEqual(self.call("GET", pack, pack="p").json, made)
        self.assertEqual(self.call("GET", pack, pack="q").status, 404)
        row = self.call("GET", packs).json["packs"][0]
        self.assertEqual((row["name"], row["items"], row["problem"]), ("p", 2, made["problem"]))
        self.assertEqual(self.call("POST", one + "/packs", {"name": "p"}, session=session).status, 204)
        self.assertEqual(self.call("POST", one + "/packs", {"name": "q"}, session=session).status, 404)
        self.assertEqual(self.call("PUT", memory, {"text": "x" * 17000}).json["field"], "text")
        self.assertEqual(self.call("PUT", memory, {"text": "- We deploy on Fridays.\n"}).json["text"], "- We deploy on Fridays.\n")
        read = self.call("GET", memory).json
        self.assertTrue(read["path"].endswith("/memory.md"))
        self.assertEqual(self.call("PUT", memory, {"text": "- We deploy on Mondays.\n", "digest": read["digest"]}).status, 200)
        late = self.call("PUT", memory, {"text": "- We deploy daily.\n", "digest": read["digest"]})
        self.assertEqual(late.status, 409)
        self.assertIn("changed meanwhile", late.json["detail"])
        self.assertEqual(self.call("GET", memory).json["text"], "- We deploy on Mondays.\n")
        self.assertEqual(self.call("PUT", "/api/v1/settings", {"compact_at": 99}).json["field"], "compact_at")
        self.assertEqual(self.call("PUT", "/api/v1/settings", {"compact_at": 50}).json["compact_at"], 50)
        seen = self.call("GET", one + "/context", session=session).json
        self.assertEqual((seen["window"], seen["window_from"], seen["compact_at"], seen["packs"]), (32768, "settings", 16384, ["p"]))
        self.assertEqual(seen["facts"], [{"id": fact, "text": "Pay in euros.", "from": "user"}])
        self.assertEqual([p["part"] for p in seen["parts"]], ["instructions", "tools", "skills", "memory", "packs", "facts", "history"])
        self.assertEqual(sum(p["tokens"] for p in seen["parts"]), seen["estimated"])
        with self.server.websocket() as ws:
            ws.say(op="subscribe", session=session, **{"from": 1})
            ws.hear_until(lambda m: m.get("op") == "caught_up")
            self.assertEqual(self.call("POST", one + "/compact", {"focus": 7}, session=session).json["field"], "focus")
            run = self.call("POST", one + "/compact", {"focus": "money"}, session=session)
            self.assertEqual(run.status, 202)
            ended = ws.hear_until(lambda m: m.get("event", {}).get("type") == "run_end")
            self.assertEqual(ended[-1]["event"]["run"], run.json["run"])
        self.assertEqual(self.call("DELETE", one + "/packs/{pack}", session=session, pack="p").status, 204)
        self.assertEqual(self.call("DELETE", one + "/packs/{pack}", session=session, pack="p").status, 404)
        self.assertEqual(self.call("DELETE", one + "/facts/{fact}", session=session, fact=fact).status, 204)
        self.assertEqual(self.call("DELETE", one + "/facts/{fact}", session=session, fact=fact).status, 404)
        self.assertEqual(self.call("DELETE", pack, pack="p").status, 204)
        self.assertEqual(self.call("DELETE", pack, pack="p").status, 404)
        self.call("PUT", memory, {"text": ""})
        self.call("PUT", "/api/v1/settings", {"compact_at": None})

    def skills(self):
        skills, one = "/api/v1/skills", "/api/v1/skills/{skill}"
        text = "---\nname: mine\ndescription: d\nmetadata: {a: b}\n---\nDo {{x}}.\n"
        self.assertEqual({s["state"] for s in self.call("GET", skills).json["skills"]}, {"ok"})
        self.assertEqual(self.call("GET", one, skill="nothing").status, 404)
        self.assertEqual(len(self.call("POST", skills + "/check", {"text": text}).json["warnings"]), 1)
        self.assertEqual(self.call("PUT", one, {"text": "no front"}, skill="mine").json["field"], "text")
        self.assertEqual(self.call("PUT", one, {"text": text}, skill="mine").json["metadata"], {"a": "b"})
        self.assertEqual(self.call("GET", one, skill="mine").json["text"], text)
        self.assertEqual(self.call("POST", one + "/expand", {"args": "y"}, skill="mine").json["text"], "Do {{x}}.\n\nARGUMENTS: y")
        self.assertEqual(self.call("POST", one + "/expand", {}, skill="weather-now").status, 400)
        self.assertEqual(self.call("POST", one + "/trust", {}, skill="mine").json["state"], "ok")
        self.assertEqual(self.call("DELETE", one, skill="weather-now").status, 403)
        self.assertEqual(self.call("DELETE", one, skill="mine").status, 204)

    def agents(self):
        agents, one = "/api/v1/agents", "/api/v1/agents/{agent}"
        built_in = {a["name"]: a for a in self.call("GET", agents).json["agents"]}
        self.assertEqual(sorted(built_in), ["build", "explore", "plan", "review"])
        self.assertFalse([a for a in built_in.values() if "problem" in a or "warning" in a or a["source"] != "built in"])
        self.assertEqual(built_in["explore"]["tools"], ["read", "glob", "grep", "Skill", "TodoWrite"])
        self.assertIn("You answer one question", self.call("GET", one, agent="explore").json["text"])
        self.assertEqual(self.call("GET", one, agent="nobody").status, 404)
        text = "---\nname: mine\ndescription: d\ntools: Read, frobnicate\nmode: plan\n---\nDo it.\n"
        for bad in ("no front matter", text.replace("mine", "other"), text.replace("plan", "yolo")):
            self.assertEqual(self.call("PUT", one, {"text": bad}, agent="mine").json["field"], "text")
        mine = self.call("PUT", one, {"text": text}, agent="mine").json
        self.assertEqual((mine["source"], mine["tools"], mine["mode"], mine["text"]), ("workspace", ["read", "frobnicate"], "plan", text))
        self.assertIn("frobnicate", mine["warning"])
        folder = os.path.join(self.server.workspace, "root", ".claude", "agents")
        os.makedirs(folder)
        with open(os.path.join(folder, "mine.md"), "w") as file:
            file.write(text.replace("description: d", "description: of the project"))
        rows = [a for a in self.call("GET", agents).json["agents"] if a["name"] == "mine"]
        self.assertEqual([(a["source"], a.get("shadowed", False)) for a in rows], [("root", False), ("workspace", True)])
        self.assertEqual(self.call("GET", one, agent="mine").json["description"], "of the project")
        self.assertEqual(self.call("DELETE", one, agent="mine").status, 204)
        self.assertEqual(self.call("DELETE", one, agent="mine").status, 403)
        self.assertEqual(self.call("DELETE", one, agent="plan").status, 403)

    def worktrees(self):
        """Made by hand as the server makes them: here it is about the routes (tests/flow/test_worktrees.py has the rest)."""
        one = "/api/v1/worktrees/{worktree}"
        self.assertEqual(self.call("GET", "/api/v1/worktrees").json, {"worktrees": []})
        for method, what in (("GET", "/diff"), ("POST", "/merge"), ("POST", "/keep"), ("POST", "/discard")):
            self.assertIn(self.call(method, one + what, worktree="0123456789ab").status, (400, 404))

    def test_routes_and_documents_name_the_same(self):
        with open(os.path.join(ROOT, "src", "api", "routes.c")) as file:
            source = file.read().replace('S "', '"/api/v1/sessions').replace("S, ", '"/api/v1/sessions", ')
        routes = set(re.findall(r'BX_HTTP_([A-Z]+), "(/api/[^"]+)"', source))
        documented = {(m.upper(), re.sub(r"\{\w+\}", "*", p)) for p, item in self.document["paths"].items()
                      for m in item if m != "parameters" and p.startswith("/api/")}
        self.assertEqual(routes, documented)
        with open(os.path.join(ROOT, "docs", "api.md")) as file:
            rows = re.findall(r"^\| ([A-Z]+) `(/api/[^`?]+)", file.read(), re.M)
        self.assertEqual({(m, re.sub(r"/(ID|NAME)(?=/|$)", "/*", p)) for m, p in rows}, documented)

    def test_methods(self):
        auth = [("Authorization", "Bearer " + self.server.bearer)]
        reply = self.server.request("DELETE", "/api/v1/tools", headers=auth)
        self.assertEqual((reply.status, reply.headers["allow"]), (405, "GET, HEAD, OPTIONS"))
        reply = self.server.request("OPTIONS", "/api/v1/sessions", headers=auth)
        self.assertEqual((reply.status, reply.headers["allow"]), (204, "GET, HEAD, POST, OPTIONS"))
        head = self.server.request("HEAD", "/api/v1/tools", headers=auth)
        full = self.server.request("GET", "/api/v1/tools", headers=auth)
        self.assertEqual(head.headers["content-length"], full.headers["content-length"])

    def test_page(self):
        cookie = ("Cookie", self.server.cookie)
        page = self.server.request("GET", "/", headers=[cookie])
        self.assertEqual((page.status, page.headers["content-type"]), (200, "text/html; charset=utf-8"))
        self.assertNotRegex(page.body.decode(), r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=|https?://")
        packed = self.server.request("GET", "/", headers=[cookie, ("Accept-Encoding", "gzip")])
        self.assertEqual(packed.headers.get("content-encoding"), "gzip")
        self.assertNotEqual(packed.headers["etag"], page.headers["etag"])
        again = self.server.request("GET", "/", headers=[cookie, ("If-None-Match", page.headers["etag"])])
        self.assertEqual((again.status, again.body), (304, b""))
        stranger = self.server.request("GET", "/", headers=[("Accept", "text/html"), ("Sec-Fetch-Site", "cross-site")])
        self.assertEqual(stranger.status, 401)
        self.assertIn(b'http-equiv="refresh"', stranger.body)
        stranger = self.server.request("GET", "/", headers=[("Accept", "text/html"), ("Sec-Fetch-Site", "same-origin")])
        self.assertEqual(stranger.status, 401)
        self.assertNotIn(b"refresh", stranger.body)


class Conversation(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.model = None

    def tearDown(self):
        self.server.stop()
        if self.model:
            self.model.stop()

    def start(self, script):
        self.model = Model(script)
        self.assertEqual(self.model.use(self.server).status, 200)
        return self.server.api("POST", "/sessions", {}).json["id"]

    def test_resume(self):
        """Whoever comes late or comes back sees the same events, each once, in order, and what comes then."""
        session = self.start([{"text": "one two three " * 50}, {"text": "four"}])
        with self.server.websocket() as first, self.server.websocket() as second:
            first.say(op="subscribe", session=session)
            caught_up = first.hear_until(lambda m: m["op"] == "caught_up")[-1]
            self.assertEqual((caught_up["seq"], caught_up["running"]), (0, False))
            first.say(op="send", session=session, text="count", ref="a")
            heard = first.hear_until(lambda m: m.get("event", {}).get("type") == "run_end")
            events = [m["event"] for m in heard if m["op"] == "event"]
            logged = [e for e in events if "seq" in e]
            self.assertEqual([e["seq"] for e in logged], list(range(1, len(logged) + 1)))
            streamed = "".join(e.get("text", "") for e in events if e["type"] == "delta")
            self.assertEqual(streamed, "one two three " * 50)
            if not any(m["op"] == "ok" for m in heard):
                heard += first.hear_until(lambda m: m["op"] == "ok")
            ok = next(m for m in heard if m["op"] == "ok")
            self.assertEqual((ok["ref"], ok["run"]), ("a", logged[0]["run"]))
            self.assertTrue(any(m["op"] == "sessions" for m in heard + first.hear_until(lambda m: m["op"] == "sessions")))
            middle = len(logged) // 2
            second.say(op="subscribe", session=session, **{"from": middle + 1})
            late = [m["event"] for m in second.hear_until(lambda m: m["op"] == "caught_up") if m["op"] == "event"]
            self.assertEqual([e for e in late if "seq" in e], logged[middle:])
            first.say(op="subscribe", session=session, **{"from": len(logged)})  # anew
            again = [m["event"] for m in first.hear_until(lambda m: m["op"] == "caught_up") if m["op"] == "event"]
            self.assertEqual([e for e in again if "seq" in e], logged[-1:])
            second.say(op="unsubscribe", session=session)
            second.say(op="ping")
            second.hear_until(lambda m: m["op"] == "pong")
            first.say(op="send", session=session, text="more")
            first.hear_until(lambda m: m.get("event", {}).get("type") == "run_end")
            second.say(op="ping")
            self.assertFalse([m for m in second.hear_until(lambda m: m["op"] == "pong") if m["op"] == "event"])

    def test_question_and_stop(self):
        session = self.start([{"calls": [{"tool": "write", "input": {"file_path": "b.txt", "content": "b"}}]}, {"text": "x ", "forever": True}])
        with self.server.websocket() as ws:
            ws.say(op="subscribe", session=session)
            ws.say(op="send", session=session, text="write it")
            question = ws.hear_until(lambda m: m.get("event", {}).get("type") == "question")[-1]["event"]
            row = self.server.api("GET", f"/sessions/{session}").json["session"]
            self.assertTrue(row["running"] and row["waiting"], row)
            waits = self.server.api("POST", f"/sessions/{session}/messages", {"text": "now"})
            self.assertEqual((waits.status, list(waits.json)), (202, ["queued"]))
            self.assertEqual(self.server.api("POST", f"/sessions/{session}/messages", {"text": "now", "replace": 2}).status, 409)
            ws.say(op="send", session=session, text="and now", ref="typed")
            typed = ws.hear_until(lambda m: m["op"] == "ok" and m.get("ref") == "typed")[-1]["queued"]
            queued = self.server.api("GET", f"/sessions/{session}").json["queued"]
            self.assertEqual(queued, [{"id": waits.json["queued"], "text": "now"}, {"id": typed, "text": "and now"}])
            for one in queued:
                self.assertEqual(self.server.api("DELETE", f"/sessions/{session}/queued/{one['id']}").status, 204)
            self.assertEqual(self.server.api("DELETE", f"/sessions/{session}").status, 409)
            ws.say(op="answer", session=session, question=question["question"], choice="once", text="", ref="q")
            result = ws.hear_until(lambda m: m.get("event", {}).get("type") == "tool_result")[-1]["event"]
            self.assertFalse(result["is_error"], result)
            with open(self.server.workspace + "/root/b.txt") as file:
                self.assertEqual(file.read(), "b")
            ws.hear_until(lambda m: m.get("event", {}).get("type") == "delta")
            self.assertEqual(self.server.api("POST", f"/sessions/{session}/stop").status, 202)
            end = ws.hear_until(lambda m: m.get("event", {}).get("type") == "run_end")[-1]["event"]
            self.assertEqual(end["reason"], "stopped")

    def test_tool_run_ends_with_its_client(self):
        """As many endless calls as there are workers for tools, and their clients leave: the next call is served."""
        auth = [("Authorization", "Bearer " + self.server.bearer)]
        self.assertEqual(self.server.api("PUT", "/settings", {"limits": {"*": {"time": "1h"}}}).status, 200)
        for _ in range(8):
            with self.server.connect() as s:
                s.sendall(request_bytes("POST", "/api/v1/tools/Sleep/run", self.server.host, {"input": {"ms": 3600000}}, auth))
        reply = self.server.api("POST", "/tools/Sleep/run", {"input": {"ms": 1}})
        self.assertEqual((reply.status, reply.json["is_error"]), (200, False))


if __name__ == "__main__":
    unittest.main()
