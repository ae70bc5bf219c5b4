#!/usr/bin/env python3
"""A guest's way out: denied, granted, counted, expired, taken back; by settings, by a person, for a call. The peers are on the
loopback; the guest is tests/attack/guests/fetch.c as one of the user's own tools."""
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import unittest
from unittest import mock

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from boxagnts import BINARY, PATIENCE, Conversation, Run  # noqa: E402

GUESTS = subprocess.run([os.path.join(HERE, "..", "attack", "build_guests.sh")], capture_output=True, text=True, check=True).stdout.strip()
DESCRIPTOR = {"name": "fetch", "version": "1", "description": "Fetches one URL, then another.", "permission_level": "execute", "input": "argv",
              "input_schema": {"type": "object", "properties": {"url": {"type": "string"}, "then": {"type": "string"}}},
              "wants": {"hosts": ["https://wished.example"]}}


class Peer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.seen.append(self.path)
        body = b"x" * int(self.path[6:]) if self.path.startswith("/size/") else b"hello"
        self.send_response(200)
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except ConnectionError:
            pass  # a limit ended it

    def log_message(self, *_):
        pass


class Network(Conversation):
    def setUp(self):
        super().setUp()
        self.peer = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Peer)
        self.peer.seen = []
        third = http.server.ThreadingHTTPServer(("127.0.0.3", self.peer.server_port), Peer)
        third.seen = self.peer.seen
        for peer in (self.peer, third):
            threading.Thread(target=peer.serve_forever, daemon=True).start()
            self.addCleanup(peer.server_close)
            self.addCleanup(peer.shutdown)
        self.at = f"http://127.0.0.1:{self.peer.server_port}"
        tools = os.path.join(self.workspace.state, "tools")
        os.makedirs(tools)
        shutil.copy(os.path.join(GUESTS, "fetch.wasm"), tools)
        with open(os.path.join(tools, "fetch.json"), "w") as file:
            json.dump(DESCRIPTOR, file)

    def begin(self, *turns):
        super().begin(*turns)
        self.wait_for_tool()

    def restart(self):
        super().restart()
        self.wait_for_tool()

    def wait_for_tool(self):
        """The user's own tools are looked for behind the first answer."""
        give_up = time.monotonic() + PATIENCE
        while "fetch" not in [t["name"] for t in self.server.call("GET", "/tools")[1]["tools"]]:
            self.assertLess(time.monotonic(), give_up)
            time.sleep(0.01)

    def settings(self, **limits):
        path = os.path.join(self.workspace.state, "settings.json")
        old = {}
        if os.path.exists(path):
            with open(path) as file:
                old = json.load(file)
        with open(path + ".new", "w") as file:
            json.dump(dict(old, limits={"fetch": limits}), file)
        os.rename(path + ".new", path)

    def tool(self, *options, unwire="", **input):
        done = subprocess.run([BINARY, "tool", "run", "fetch", "--workspace-dir", self.workspace.path, "--input", json.dumps(input),
                               "--json", *options], capture_output=True, text=True, timeout=PATIENCE,
                              env=dict(self.workspace.environment(), BX_UNWIRE=unwire), cwd=self.workspace.folder)
        self.assertTrue(done.stdout, done.stderr)
        return json.loads(done.stdout)

    def command(self, *args, code=0):
        done = subprocess.run([BINARY, *args, "--workspace-dir", self.workspace.path], capture_output=True, text=True, timeout=PATIENCE,
                              env=self.workspace.environment(), cwd=self.workspace.folder)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout

    def assert_denied(self, result, host, setting="allowed_outbound_hosts"):
        self.assertEqual(result["limit"], "network", result)
        self.assertEqual((result["denied"]["host"], result["denied"]["setting"]), (host, setting))
        self.assertIn(setting, json.dumps(result["content"]))

    def assert_fetched(self, result):
        self.assertEqual((result["is_error"], result["limit"]), (False, None), result)
        self.assertIn("status 200 hello", result["content"])


class Settings(Network):
    def test_nothing_is_allowed_by_itself_and_the_line_helps(self):
        result = self.tool(url=self.at + "/a")
        self.assert_denied(result, self.at)
        self.assertEqual(self.peer.seen, [])
        limits = json.loads("{" + result["denied"]["line"] + "}")["limits"]
        self.settings(**limits["fetch"])
        self.assert_denied(self.tool(url=self.at + "/a"), self.at, "block_networks")  # both gates
        self.settings(**limits["fetch"], block_networks=[])
        self.assert_fetched(self.tool(url=self.at + "/a"))
        self.settings(**limits["fetch"], block_networks=["127.0.0.0/8"])
        self.assert_denied(self.tool(url=self.at + "/a"), self.at, "block_networks")
        self.assertEqual(self.peer.seen, ["/a"])

    def test_the_controls_are_what_holds(self):
        if os.environ.get("BX_CAN_UNWIRE") != "1":
            self.skipTest("a build without BX_UNWIRE")
        self.settings(block_networks=[])
        self.assert_denied(self.tool(url=self.at + "/a"), self.at)
        self.assert_fetched(self.tool(url=self.at + "/a", unwire="host_policy"))
        self.settings(allowed_outbound_hosts=[self.at])
        self.assert_denied(self.tool(url=self.at + "/b"), self.at, "block_networks")
        self.assert_fetched(self.tool(url=self.at + "/b", unwire="address_check"))
        self.assertEqual(self.peer.seen, ["/a", "/b"])

    def test_of_the_call(self):
        """--allow-host is a person's grant: by its address or as localhost it opens what `private` blocks, else it does not."""
        localhost = self.at.replace("127.0.0.1", "localhost")
        self.assert_denied(self.tool(url=self.at + "/a"), self.at)
        self.assert_fetched(self.tool("--allow-host", self.at, url=self.at + "/a"))
        self.assert_fetched(self.tool("--allow-host", localhost, url=localhost + "/a"))
        for wider in ("http://127.0.0.0/8:*", "*://*:*"):
            self.assert_denied(self.tool("--allow-host", wider, url=self.at + "/a"), self.at, "block_networks")
        self.settings(block_networks=["127.0.0.1"])
        self.assert_denied(self.tool("--allow-host", self.at, url=self.at + "/a"), self.at, "block_networks")
        self.settings(block_networks=[])
        self.assert_fetched(self.tool("--allow-host", self.at, url=self.at + "/a"))
        self.assertEqual(self.peer.seen, ["/a"] * 3)
        self.assert_denied(self.tool("--allow-host", self.at, url=self.at.replace("127.0.0.1", "127.0.0.2") + "/a"),
                           self.at.replace("127.0.0.1", "127.0.0.2"))
        done = subprocess.run([BINARY, "tool", "run", "fetch", "--allow-host", "127.0.0.1"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("scheme://host", done.stderr)

    def test_names_that_resolve_to_private_addresses(self):
        localhost = self.at.replace("127.0.0.1", "localhost")
        self.settings(allowed_outbound_hosts=["*://*:*"])
        self.assert_denied(self.tool(url=localhost + "/a"), localhost, "block_networks")
        for spelt in ("2130706433", "0x7f.1", "127.1", "[::ffff:127.0.0.1]", "127.0.0.1."):
            result = self.tool(url=self.at.replace("127.0.0.1", spelt) + "/a")
            self.assertTrue(result["is_error"], spelt)
            self.assertEqual(result["limit"], "network", (spelt, result))
        self.assertEqual(self.peer.seen, [])

    def test_a_hop_is_judged_anew(self):
        second = self.at.replace("127.0.0.1", "127.0.0.3")
        self.settings(allowed_outbound_hosts=[self.at], block_networks=[])
        result = self.tool(url=self.at + "/a", then=second + "/b")
        self.assertIn("status 200 hello", result["content"])
        self.assert_denied(result, second)
        self.assertIn(self.at, result["denied"]["line"])  # what is allowed stays in the line
        self.assertEqual(self.peer.seen, ["/a"])

    def test_sizes(self):
        self.settings(allowed_outbound_hosts=[self.at], block_networks=[], response="2KiB")
        self.assert_fetched(self.tool(url=self.at + "/a"))
        result = self.tool(url=self.at + "/size/5000")
        self.assertEqual(result["limit"], "response", result)
        self.assertIn("max_response_bytes", result["content"])
        self.assertIn('{"response": "4KiB"}', result["content"])

    def test_self_is_the_server_of_the_call(self):
        self.begin({"text": "hello"})
        self.settings(allowed_outbound_hosts=["http://self"], block_networks=[])
        own = self.server.url[:-7]
        call = lambda url: self.server.call("POST", "/tools/fetch/run", {"input": {"url": url + "/api/v1/sessions"}})[1]
        self.assertIn("status 401", call(own)["content"])  # reached: it wants a token
        self.assert_denied(call(self.at), self.at)
        self.settings(block_networks=[])
        self.assert_denied(call(own), own)
        self.assert_denied(self.tool(url=own + "/"), own)  # no server runs a call by `tool run`
        self.assertEqual(self.peer.seen, [])

    def test_a_live_change_and_a_bad_one(self):
        self.begin({"text": "hello"})
        call = lambda: self.server.call("POST", "/tools/fetch/run", {"input": {"url": self.at + "/a"}})[1]
        self.assert_denied(call(), self.at)
        self.settings(allowed_outbound_hosts=[self.at], block_networks=[])
        self.assert_fetched(call())
        self.settings(allowed_outbound_hosts=["example.com"], block_networks=[])
        self.assert_fetched(call())  # what was there before stays in force
        problem = self.server.call("GET", "/tools")[1]["settings_problem"]
        self.assertIn('"example.com"', problem)
        self.assertIn("fetch", problem)
        self.settings()
        self.assert_denied(call(), self.at)
        self.assertIsNone(self.server.call("GET", "/tools")[1]["settings_problem"])

    def test_describe_says_where_it_came_from(self):
        self.settings(allowed_outbound_hosts=[self.at], time="7s")
        said = json.loads(self.command("tool", "describe", "fetch", "--json"))
        self.assertEqual(said["limits"]["time"]["key"], "fetch")
        self.assertEqual(said["reach"]["allowed_outbound_hosts"]["value"], [self.at])
        self.assertEqual(said["wants"]["hosts"], ["https://wished.example"])
        text = self.command("tool", "describe", "fetch")
        self.assertIn("settings (fetch)", text)
        self.assertIn(self.at, text)


class Grants(Network):
    def add(self, **grant):
        status, made = self.server.call("POST", "/grants", dict({"tool": "fetch", "host": self.at, "scope": "workspace"}, **grant))
        self.assertEqual(status, 201)
        return made["id"]

    def run_tool(self, path="/a"):
        return self.server.call("POST", "/tools/fetch/run", {"input": {"url": self.at + path}})[1]

    def state(self, id, session=""):
        return next(g for g in self.server.call("GET", "/grants" + session)[1]["grants"] if g["id"] == id)

    def test_by_hand(self):
        self.begin({"text": "hello"})
        self.assert_denied(self.run_tool(), self.at)
        id = self.add(max_calls=2)
        self.assert_fetched(self.run_tool())  # a person's grant of an address lifts `private` for it
        self.assertEqual(self.state(id)["calls_left"], 1)
        self.assertEqual(self.server.end(), 0)
        self.restart()
        self.assert_fetched(self.run_tool())
        self.assertEqual(self.state(id)["state"], "used_up")
        self.assert_denied(self.run_tool(), self.at)
        id = self.add()
        self.assert_fetched(self.run_tool())
        self.assertEqual(self.server.call("DELETE", "/grants/" + id)[0], 204)
        self.assert_denied(self.run_tool(), self.at)
        self.add(expires_in_s=3600)
        self.assert_fetched(self.run_tool())
        self.settings(block_networks=["127.0.0.1"])
        self.assert_denied(self.run_tool(), self.at, "block_networks")

    def test_expiry(self):
        with open(os.path.join(self.workspace.state, "settings.json"), "w") as file:
            json.dump({"rules": [{"id": "old", "tool": "fetch", "host": self.at, "verdict": "allow", "expires_at": "2020-01-01T00:00:00Z"}]}, file)
        self.assert_denied(self.tool(url=self.at + "/a"), self.at)
        self.assertIn("expired", self.command("grant", "list"))

    def test_a_rule_that_denies(self):
        with open(os.path.join(self.workspace.state, "settings.json"), "w") as file:
            json.dump({"rules": [{"tool": "fetch", "host": "127.0.0.3", "verdict": "deny"}],
                       "limits": {"fetch": {"allowed_outbound_hosts": ["*://*:*"], "block_networks": []}}}, file)
        self.assert_fetched(self.tool(url=self.at + "/a"))
        third = self.at.replace("127.0.0.1", "127.0.0.3")
        self.assert_denied(self.tool(url=self.at + "/a", then=third), third, "rules")  # in mid-call, too
        self.assertIn("Not permitted", self.tool(url=third)["content"])

    def test_command_line(self):
        id = self.command("grant", "add", "fetch", "--host", self.at, "--max-calls", "1").strip()
        self.assertIn(id, self.command("grant", "list"))
        self.assert_fetched(self.tool(url=self.at + "/a"))
        self.assert_denied(self.tool(url=self.at + "/a"), self.at)
        self.command("grant", "remove", id)
        self.command("grant", "remove", id, code=1)
        self.command("grant", "add", "fetch", "--host", "nonsense://", code=1)
        self.assertIn("fits the one before", self.command("verify"))

    def call(self, path="/a", **more):
        return {"calls": [{"tool": "fetch", "input": dict({"url": self.at + path}, **more)}]}

    def test_in_a_session(self):
        self.begin(self.call(), {"text": "one"}, self.call(), {"text": "two"}, self.call(), {"text": "three"})
        self.send("fetch")
        question = self.wait_for({"type": "question", "kind": "network"})
        self.assertEqual(question["grant"], {"tool": "fetch", "host": self.at})
        self.assertEqual(self.peer.seen, [])
        self.answer(question, "session")
        self.wait_for({"type": "tool_result", "is_error": False, "content": {"$has": "status 200"}})
        self.wait_for({"type": "run_end", "reason": "done"})
        self.assertEqual(self.server.end(), 0)
        self.restart()
        self.send("again")
        self.wait_for({"type": "tool_result", "is_error": False}, 2)
        self.wait_for({"type": "run_end", "reason": "done"}, 2)
        given = self.server.call("GET", "/grants?session=" + self.session)[1]["grants"]
        self.assertEqual([g["host"] for g in given], [self.at])
        self.assertEqual(self.server.call("DELETE", f"/grants/{given[0]['id']}?session={self.session}")[0], 204)
        self.send("and again")
        question = self.wait_for({"type": "question", "kind": "network"}, 2)
        self.answer(question, "no")
        self.wait_for({"type": "run_end", "reason": "done"}, 3)
        self.assertEqual(self.peer.seen, ["/a", "/a"])

    def test_counted_in_a_session(self):
        self.begin(self.call(), self.call(), {"text": "one"})
        id = self.add(scope="session", session=self.session, max_calls=1)
        self.send("fetch twice")
        question = self.wait_for({"type": "question", "kind": "network"})  # the first went through
        self.assertEqual(self.state(id, "?session=" + self.session)["state"], "used_up")
        self.answer(question, "once")
        self.wait_for({"type": "run_end", "reason": "done"})
        self.assertEqual(self.peer.seen, ["/a", "/a"])

    def test_denied_in_mid_call_then_granted(self):
        third = self.at.replace("127.0.0.1", "127.0.0.3")
        self.begin(self.call(then=third + "/b"), {"text": "one"}, self.call(then=third + "/c"), {"text": "two"})
        self.add(scope="session", session=self.session)
        self.send("fetch")
        result = self.wait_for({"type": "tool_result", "limit": "network"})
        self.assertEqual(result["denied"]["host"], third)
        self.wait_for({"type": "run_end", "reason": "done"})
        self.add(scope="session", session=self.session, host=result["denied"]["host"])
        self.send("again")
        self.wait_for({"type": "tool_result", "is_error": False})
        self.wait_for({"type": "run_end", "reason": "done"}, 2)
        self.assertEqual(self.peer.seen, ["/a", "/a", "/c"])
        hosts = {h["host"]: h for h in self.server.call("GET", "/sessions/" + self.session)[1]["hosts"]}
        first, other = hosts[self.at[7:]], hosts[third[7:]]
        self.assertEqual((first["received_bytes"], first["calls"], first["denied"]), (10, 2, 0))
        self.assertEqual((other["received_bytes"], other["calls"], other["denied"]), (5, 2, 1))
        self.assertEqual(result["receipt"]["used"]["hosts"][third[7:]]["denied"], True)

    def test_limits_of_a_session(self):
        self.begin(self.call(), {"text": "one"})
        self.add(scope="session", session=self.session)
        status, _ = self.server.call("POST", "/grants", {"tool": "fetch", "limits": {"time": "77s"}, "scope": "session", "session": self.session})
        self.assertEqual(status, 201)
        self.send("fetch")
        self.wait_for({"type": "tool_start", "limits": {"time": 77000}})
        self.wait_for({"type": "run_end", "reason": "done"})

    def headless(self, *options):
        run = Run(self.workspace, "fetch", *options)
        run.finish()
        return next(e for e in run.seen if e["type"] == "tool_result")

    def test_without_the_question_the_hosts_still_hold(self):
        if os.environ.get("BX_CAN_UNWIRE") != "1":
            self.skipTest("a build without BX_UNWIRE")
        self.workspace.start_model({"turns": [self.call(), {"text": "one"}] * 2})
        asked = self.headless("--mode", "auto", "--yes", "execute")
        with mock.patch.dict(os.environ, {"BX_UNWIRE": "network_question"}):
            unasked = self.headless("--mode", "auto", "--yes", "execute")
        self.assertIn("nobody is there to ask", asked["content"])
        self.assertNotIn("nobody is there to ask", unasked["content"])
        for result in (asked, unasked):
            self.assert_denied(result, self.at)
        self.assertEqual(self.peer.seen, [])

    def test_headless(self):
        self.workspace.start_model({"turns": [self.call(), {"text": "one"}] * 3})
        result = self.headless("--mode", "auto", "--yes", "execute")
        self.assertEqual((result["limit"], result["denied"]["host"]), ("network", self.at))
        self.assertIn("--allow-host " + self.at, result["content"])
        self.assertIn("allowed_outbound_hosts", result["content"])
        self.assertEqual(self.peer.seen, [])
        self.assertFalse(self.headless("--mode", "auto", "--allow-host", self.at)["is_error"])
        self.assertEqual(self.peer.seen, ["/a"])
        self.settings(block_networks=["127.0.0.1"])  # a grant does not open what is blocked by its number
        self.assertEqual(self.headless("--mode", "auto", "--allow-host", self.at)["denied"]["setting"], "block_networks")
        self.assertEqual(self.peer.seen, ["/a"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
