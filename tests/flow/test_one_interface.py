#!/usr/bin/env python3
"""One interface: a native tool, a boxed one, an MCP tool and a remote one, side by side, under a table of what must hold for all.

Kind by kind the same questions are asked: is it in the list (API, terminal) with its level and limits, is broken input turned away
before anything runs, does the permission check ask, deny and allow, does the time limit end it and say its name, does a stop, is
there a receipt, are the events the same, and does `tool run` do what the agent does?"""
import json
import os
import shutil
import signal
import sys
import time
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from boxagnts import PATIENCE, Run, Server, Workspace, matches  # noqa: E402

FAKE = os.path.join(HERE, "..", "peers", "mcp", "fake.py")
GENERATED = os.environ["BX_GENERATED"]


class Remote(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    over = Event()

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/slow":
            self.over.wait(PATIENCE)
        text = json.dumps({"said": json.loads(body or b"{}").get("text")}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        try:
            self.wfile.write(text)
        except OSError:
            pass  # it was stopped


# kind: a call that works, one with broken input, one that takes for ever; the level
KINDS = {
    "native": {"tool": "Sleep", "good": {"ms": 1}, "bad": {"ms": "x"}, "slow": ("Sleep", {"seconds": 3000}), "level": "none"},
    "box": {"tool": "boxed", "good": {"file_path": "a.txt"}, "bad": {"file_path": 7}, "slow": None, "level": "execute"},
    "mcp": {"tool": "mcp__fake__echo", "good": {"text": "hi"}, "bad": {"text": 7}, "slow": ("mcp__fake__slow", {}), "level": "execute"},
    "remote": {"tool": "say", "good": {"text": "hi"}, "bad": {"text": 7}, "slow": ("say_slowly", {"text": "x"}), "level": "execute"},
}


class OneInterface(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.http = ThreadingHTTPServer(("127.0.0.1", 0), Remote)
        cls.http.daemon_threads = True
        Thread(target=cls.http.serve_forever, daemon=True).start()
        cls.addClassCleanup(cls.http.server_close)
        cls.addClassCleanup(cls.http.shutdown)
        cls.addClassCleanup(Remote.over.set)

    def setUp(self):
        origin = f"http://127.0.0.1:{self.http.server_address[1]}"
        grant = {"allowed_outbound_hosts": [origin], "block_networks": []}
        self.workspace = Workspace(files={"a.txt": "hello"}, settings={
            "mcpServers": {"fake": {"command": sys.executable, "args": [FAKE]}}, "limits": {"say": grant, "say_slowly": grant}})
        self.addCleanup(self.workspace.close)
        tools = os.path.join(self.workspace.state, "tools")
        os.makedirs(tools)
        shutil.copy(os.path.join(GENERATED, "guests", "read.wasm"), os.path.join(tools, "boxed.wasm"))
        self.write(tools, "boxed.json", {"name": "boxed", "description": "A guest", "permission_level": "execute", "input_schema": {
            "type": "object", "properties": {"file_path": {"type": "string"}}, "required": ["file_path"]}})
        schema = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
        for name, path in (("say", "/say"), ("say_slowly", "/slow")):
            self.write(tools, name + ".remote.json", {"name": name, "description": "Says it elsewhere", "url": origin + path, "input_schema": schema, "pointer": "/said"})
        self.write(self.workspace.state, "settings.json", self.workspace.settings)

    def write(self, folder, name, content):
        with open(os.path.join(folder, name), "w") as file:
            json.dump(content, file)

    def tool_run(self, tool, given, *args):
        process = self.workspace.command("tool", "run", tool, "--workspace-dir", self.workspace.path, "--json", "--input", json.dumps(given), *args)
        out, err = process.communicate(timeout=PATIENCE)
        self.assertTrue(out, err)
        return json.loads(out), process.returncode

    def run_with(self, calls, *args):
        self.workspace.start_model({"turns": [{"calls": calls}, {"text": "done"}]})
        run = Run(self.workspace, "go", *args)
        run.finish()
        return self.workspace.events(self.workspace.sessions()[-1])

    def test_lists(self):
        listed = {t["name"]: t for t in json.loads(self.listing("tool", "list", "--json"))}
        server = Server(self.workspace)
        self.addCleanup(server.end, signal.SIGKILL)
        end, api = time.monotonic() + PATIENCE, {}
        while not all(row["tool"] in api for row in KINDS.values()):  # folders and servers are looked at behind the first answer
            self.assertLess(time.monotonic(), end, api)
            api = {t["name"]: t for t in server.call("GET", "/tools")[1]["tools"]}
        for kind, row in KINDS.items():
            with self.subTest(kind=kind):
                for tools in (listed, api):
                    self.assertEqual((tools[row["tool"]]["kind"], tools[row["tool"]]["level"]), (kind, row["level"]))
                self.assertEqual(api[row["tool"]]["limits"]["time"]["unit"], "ms")
                self.assertIn("Limits:", self.listing("tool", "describe", row["tool"]))
                status, result = server.call("POST", f"/tools/{row['tool']}/run", {"input": row["good"]})
                self.assertEqual((status, result["is_error"]), (200, False), result)

    def listing(self, *args):
        process = self.workspace.command(*args[:2], "--workspace-dir", self.workspace.path, *args[2:])
        out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 0, err)
        return out

    def test_by_hand(self):
        for kind, row in KINDS.items():
            with self.subTest(kind=kind):
                result, code = self.tool_run(row["tool"], row["good"])
                self.assertEqual((result["is_error"], code, result["limit"]), (False, 0, None), result)
                self.assertEqual(result["receipt"]["tool"], row["tool"])
                result, code = self.tool_run(row["tool"], row["bad"])
                self.assertEqual((result["is_error"], code, result["receipt"]["verdict"]), (True, 1, "denied"), result)
                self.assertIn(f"The arguments of {row['tool']} do not fit", result["content"])

    def test_time(self):
        for kind, row in KINDS.items():
            with self.subTest(kind=kind):
                if row["slow"]:
                    result, code = self.tool_run(*row["slow"], "--limit", "time=200ms")
                    self.assertEqual((result["limit"], code), ("time", 1), result)
                    self.assertIn("time=", result["content"])
                    self.assertIn("wasm_timeout", result["content"])

    def test_in_a_run(self):
        calls = [{"tool": row["tool"], "input": row[what]} for row in KINDS.values() for what in ("good", "bad")]
        events = self.run_with(calls, "--yes", "execute")
        receipts = self.receipts()
        for kind, row in KINDS.items():
            with self.subTest(kind=kind):
                mine = [e for e in events if e.get("tool") == row["tool"]]
                allowed = {"type": "permission", "decision": "allow", "by": "level" if row["level"] == "none" else "flag"}
                for pattern in (allowed, {"type": "tool_start", "level": row["level"]}, {"type": "tool_result", "is_error": False},
                                {"type": "tool_result", "is_error": True, "content": {"$has": "do not fit"}}):
                    self.assertTrue(any(matches(pattern, e) for e in mine), f"{pattern} in {mine}")
                start = next(e for e in mine if e["type"] == "tool_start")
                self.assertIn("time", start["limits"])
                self.assertEqual([r["verdict"] for r in receipts if r["tool"] == row["tool"]], ["denied", "ok"])  # the broken call never ran

    def receipts(self):
        folder, lines = os.path.join(self.workspace.state, "receipts"), []
        for name in os.listdir(folder):
            with open(os.path.join(folder, name)) as file:
                lines += map(json.loads, file)
        return lines

    def test_nobody_to_ask(self):
        events = self.run_with([{"tool": row["tool"], "input": row["good"]} for row in KINDS.values()])
        receipts = self.receipts()
        for kind, row in KINDS.items():
            with self.subTest(kind=kind):
                decision = "allow" if row["level"] == "none" else "deny"
                self.assertTrue(any(matches({"type": "permission", "tool": row["tool"], "decision": decision}, e) for e in events), events)
                verdict = [r["verdict"] for r in receipts if r["tool"] == row["tool"]]
                self.assertEqual(verdict, ["ok" if decision == "allow" else "denied"])

    def test_a_rule_denies(self):
        self.workspace.settings["rules"] = [{"tool": row["tool"], "verdict": "deny"} for row in KINDS.values() if row["level"] != "none"]
        self.write(self.workspace.state, "settings.json", self.workspace.settings)
        for kind, row in KINDS.items():
            with self.subTest(kind=kind):
                if row["level"] != "none":
                    result, code = self.tool_run(row["tool"], row["good"])
                    self.assertTrue(result["is_error"])
                    self.assertIn("Not permitted", result["content"])

    def test_a_stop(self):
        for kind, row in KINDS.items():
            with self.subTest(kind=kind):
                if row["slow"]:
                    tool, given = row["slow"]
                    self.workspace.start_model({"turns": [{"calls": [{"tool": tool, "input": given}]}, {"text": "done"}]})
                    run = Run(self.workspace, "go", "--yes", "execute")
                    run.wait_for({"type": "tool_start", "tool": tool})
                    run.signal(signal.SIGINT)
                    self.assertEqual(run.finish(), 130, run.error)
                    self.assertTrue(any(matches({"type": "tool_result", "tool": tool, "limit": "cancelled"}, e) for e in run.seen), run.seen[-3:])
                    self.workspace.model.close()
                    self.workspace.model = None


class RemoteNetwork(unittest.TestCase):
    """The host of a remote tool must be granted like any other; secrets go where the descriptor says and nowhere else."""

    def setUp(self):
        self.workspace = Workspace()
        self.addCleanup(self.workspace.close)
        self.tools = os.path.join(self.workspace.state, "tools")
        os.makedirs(self.tools)

    def put(self, settings=None, **descriptor):
        with open(os.path.join(self.tools, "far.remote.json"), "w") as file:
            json.dump({"name": "far", "description": "Far away", **descriptor}, file)
        with open(os.path.join(self.workspace.state, "settings.json"), "w") as file:
            json.dump(settings or {}, file)

    def call(self, given, *args):
        process = self.workspace.command("tool", "run", "far", "--workspace-dir", self.workspace.path, "--json", "--input", json.dumps(given), *args)
        out, err = process.communicate(timeout=PATIENCE)
        return json.loads(out) if out else err

    def test_broken_descriptors(self):
        for broken, words in (({"url": "https://{host}/x"}, "no part of the input"), ({}, '"url" is missing'), ({"url": "ftp://x/"}, "url"),
                              ({"url": "https://x/", "input": "pigeon"}, "json, query or form"), ({"url": "https://x/{a"}, "brace"),
                              ({"url": "http://example.org/", "headers": {"A": "${secret:x}"}}, "https only"),
                              ({"url": "https://x/", "headers": {"A": "b\nC: d"}}, "header")):
            self.put(**broken)
            process = self.workspace.command("tool", "list", "--workspace-dir", self.workspace.path)
            out, err = process.communicate(timeout=PATIENCE)
            self.assertIn(words, out + err)

    def test_not_granted(self):
        self.put(url="https://api.example.org/x")
        result = self.call({})
        self.assertTrue(result["is_error"])
        self.assertEqual(result["limit"], "network")
        self.assertIn("allowed_outbound_hosts", result["content"])

    def test_what_is_sent(self):
        got = []

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                got.append((self.command, self.path, self.headers.get("Authorization"), self.rfile.read(int(self.headers.get("Content-Length") or 0))))
                status = 302 if "redirect" in self.path else 500 if "fail" in self.path else 200
                body = b'{"a":{"b":[1,{"c/d":"deep"}]}}' if status == 200 else b"nothing here"
                self.send_response(status)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_PUT = do_GET

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        Thread(target=server.serve_forever, daemon=True).start()
        origin = f"http://127.0.0.1:{server.server_address[1]}"
        settings = {"limits": {"far": {"allowed_outbound_hosts": [origin], "block_networks": []}}}
        with open(os.path.join(self.workspace.state, "auth.json"), "w") as file:
            json.dump({"key": "s3cret"}, file)
        self.put(settings, url=origin + "/v1/{city}/now?u=m", input="query", headers={"Authorization": "Bearer ${secret:key}"}, pointer="/a/b/1/c~1d")
        result = self.call({"city": "a/../b c", "days": 3, "q": "x&y"})
        self.assertEqual((result["content"], result["metadata"]["status"]), ("deep", 200))
        self.assertEqual(got.pop(), ("GET", "/v1/a%2F..%2Fb%20c/now?u=m&days=3&q=x%26y", "Bearer s3cret", b""))
        self.assertNotIn("s3cret", json.dumps(result))
        self.assertIn("must name something", self.call({"city": ".."})["content"])
        self.put(settings, url=origin + "/x/{id}", method="PUT")
        self.assertEqual(json.loads(self.call({"id": 7, "rest": [1]})["content"]), {"a": {"b": [1, {"c/d": "deep"}]}})
        self.assertEqual(got.pop(), ("PUT", "/x/7", None, b'{"rest":[1]}'))
        receipts, lines = os.path.join(self.workspace.state, "receipts"), []
        for name in os.listdir(receipts):
            with open(os.path.join(receipts, name)) as file:
                lines += map(json.loads, file)
        self.assertIn(origin[7:], json.dumps(lines[-1]))  # which host, how much
        self.assertIn(str(len(b'{"rest":[1]}')), json.dumps(lines[-1]))
        self.assertRegex(json.dumps(lines[-1]), "[0-9a-f]{64}")
        self.put(settings, url=origin + "/f", input="form")
        self.call({"a": "1 2", "b": "ä"})
        self.assertEqual(got.pop()[3], b"a=1%202&b=%C3%A4")
        for path, words in (("/redirect", "status 302"), ("/fail", "status 500")):
            self.put(settings, url=origin + path)
            result = self.call({})
            self.assertTrue(result["is_error"])
            self.assertIn(words, result["content"])
        self.assertEqual(self.call({"text": "x" * 5000}, "--limit", "request=1000")["limit"], "request")
        self.put(settings, url=origin + "/x", headers={"Authorization": "${secret:missing}"})
        self.assertIn('the secret "missing"', self.call({})["content"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
