#!/usr/bin/env python3
"""What the model is told, looked at on the wire: a session of many turns in a small window, prefixes, windows that servers tell.
BOXAGNTS=path/to/boxagnts SCRIPTED_ENDPOINT=path/to/scripted_endpoint python3 tests/flow/test_context.py
BX_LONG_TURNS=2000 for the long session at its full length."""
import json
import os
import subprocess
import sys
import tempfile
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import ProxyHandler, Request, build_opener

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "attack"))
sys.path.insert(0, HERE)
from boxagnts import Conversation  # noqa: E402
from client import Server  # noqa: E402

OPEN = build_opener(ProxyHandler({})).open
TURNS = int(os.environ.get("BX_LONG_TURNS", "300"))
SUMMARY = "## Goal\n- keep the books\n## Decisions\n- one line for each entry\n## Files touched\n- /ledger.txt\n## Open tasks\n- the next entry\n## Facts\n- the currency is the euro\n"
FACTS = ["The customer's number is 40771-B.", "Never write to /archive.", "Amounts are in euros, with two digits."]


class Model:
    def __init__(self, script):
        self.file = tempfile.NamedTemporaryFile("w", suffix=".json")
        json.dump(script, self.file)
        self.file.flush()
        self.process = subprocess.Popen([os.environ["SCRIPTED_ENDPOINT"], self.file.name], stdout=subprocess.PIPE, text=True)
        self.url = f"http://127.0.0.1:{self.process.stdout.readline().split()[1]}"

    def requests(self):
        return [r["body"] for r in json.loads(OPEN(self.url + "/_requests", timeout=60).read())]

    def reset(self):
        OPEN(Request(self.url + "/_reset", b"{}"), timeout=60).read()

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()
        self.file.close()


class Ollama:
    """What of Ollama matters here: a model is loaded by the first request or by one without a prompt, and only then has a window."""

    def __init__(self, window, silent=False):
        """silent: it answers nothing but conversations, and keeps who asks waiting."""
        peer = self
        self.asked, self.tools, self.loaded, self.over = [], [], False, threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def reply(self):
                body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or "null")
                peer.asked.append(self.path)
                if silent and self.path != "/v1/chat/completions":
                    return peer.over.wait()
                kind = "application/json"
                if self.path in ("/api/generate", "/v1/chat/completions"):
                    peer.loaded = True
                if self.path == "/v1/chat/completions":
                    peer.tools.append(body.get("tools"))
                    piece = {"choices": [{"index": 0, "delta": {"content": "Hello."}, "finish_reason": "stop"}]}
                    text, kind = f"data: {json.dumps(piece)}\n\ndata: [DONE]\n\n", "text/event-stream"
                else:
                    found = peer.paths(peer.loaded, window).get(self.path)
                    text = json.dumps(found)
                    if found is None:
                        return self.send_error(404)
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            do_GET = do_POST = reply

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @staticmethod
    def paths(loaded, window=4096):
        return {"/props": None, "/api/generate": {"model": "m", "response": "", "done": True, "done_reason": "load"},
                "/api/show": {"parameters": "", "model_info": {"llama.context_length": 131072}},
                "/api/ps": {"models": [{"name": "m:latest", "model": "m:latest", "context_length": window}] if loaded else []}}

    def stop(self):
        self.over.set()
        self.server.shutdown()
        self.server.server_close()


class Context(unittest.TestCase):
    def begin(self, script, url=None, unwire="", **settings):
        self.model = Model(script)
        self.addCleanup(self.model.stop)
        self.server = Server(unwire)
        self.addCleanup(self.server.stop)
        provider = {"base_url": (url or self.model.url) + "/v1", "models": [dict(id="m", **settings)]}
        reply = self.server.api("PUT", "/settings", {"providers": {"scripted": provider}, "model": "scripted/m"})
        self.assertEqual(reply.status, 200, reply)
        self.session = self.server.api("POST", "/sessions", {}).json["id"]
        self.ws = self.server.websocket().__enter__()
        self.addCleanup(self.ws.__exit__, None, None, None)
        self.ws.say(op="subscribe", session=self.session)

    def put(self, name, text):
        path = os.path.join(self.server.workspace, "root", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)

    def send(self, text):
        """One message and all that follows until the end of its run; the events."""
        reply = self.server.api("POST", f"/sessions/{self.session}/messages", {"text": text})
        self.assertEqual(reply.status, 202, reply)
        heard = self.ws.hear_until(lambda m: m.get("event", {}).get("type") == "run_end")
        events = [m["event"] for m in heard if "event" in m]
        self.assertEqual(events[-1]["reason"], "done", events[-3:])
        return events

    def context(self):
        return self.server.api("GET", f"/sessions/{self.session}/context").json

    def test_a_long_session_in_a_small_window(self):
        turn = [{"calls": [{"tool": "read", "input": {"file_path": "/ledger.txt"}}]}, {"text": "The entry is noted. " * 12}]
        self.begin({"turns": turn * 60, "when": [{"contains": "You condense the record", "turns": [{"text": SUMMARY}]}]}, window=8192)
        self.put("ledger.txt", "".join(f"2026-01-{i % 28 + 1:02d}  entry {i}  {i * 7}.00\n" for i in range(20)))
        for fact in FACTS:
            self.assertEqual(self.server.api("POST", f"/sessions/{self.session}/facts", {"text": fact}).status, 201)
        events = self.send("Keep the books of the bridge project.")
        for i in range(TURNS - 2):
            events += self.send(f"Note entry number {i}, and mind what was said before. " + "It was paid by card. " * 8)
        self.model.reset()
        last_events = self.send("What is the customer's number?")
        events += last_events
        last = self.model.requests()[-1]
        text = json.dumps(last, ensure_ascii=False)
        for words in [*FACTS, "Keep the books of the bridge project.", "## Open tasks", "What is the customer's number?"]:
            self.assertIn(words, text)
        self.assertNotIn("Note entry number 0,", text)
        compacts = [e for e in events if e["type"] == "compact"]
        usage = [e for e in events if e["type"] == "usage" and "for" not in e]
        self.assertTrue(compacts)
        self.assertLess(len(compacts), TURNS / 4)
        for event in compacts:
            self.assertEqual((event["by"], event["summary"][:7]), ("threshold", "## Goal"))
            self.assertLess(event["after_tokens"], event["before_tokens"])
        self.assertLessEqual(max(u["input_tokens"] for u in usage), 8192)
        self.assertFalse([e for e in events if e["type"] in ("error", "limit")])
        self.assertFalse([u for u in usage if u["truncated"]])
        found = self.context()
        self.assertLess(found["estimated"], 8192)
        print(f"{TURNS} turns: {len(compacts)} compactions, at most {max(u['input_tokens'] for u in usage)} tokens, "
              f"the last request holds {usage[-1]['input_tokens']}", file=sys.stderr)

    def test_a_long_session_whose_summaries_fail(self):
        turn = [{"calls": [{"tool": "read", "input": {"file_path": "/ledger.txt"}}]}, {"text": "The entry is noted. " * 12}]
        self.begin({"turns": turn * 60, "when": [{"contains": "You condense the record", "turns": [{"text": ""}]}]}, window=8192)
        self.put("ledger.txt", "entry 1  7.00\n" * 60)
        self.assertEqual(self.server.api("POST", f"/sessions/{self.session}/facts", {"text": FACTS[0]}).status, 201)
        events = [e for i in range(60) for e in self.send(f"Note entry number {i}. " + "It was paid by card. " * 8)]
        self.assertIn(FACTS[0], json.dumps(self.model.requests()[-1], ensure_ascii=False))
        self.assertEqual({e["why"] for e in events if e["type"] == "compact"}, {"the model gave no summary"})
        self.assertLessEqual(max(e["input_tokens"] for e in events if e["type"] == "usage" and "for" not in e), 8192)

    def test_a_provider_that_fails_delays_no_compaction(self):
        failing = {"status": 503, "error": "overloaded", "retry_after": 0}
        self.begin({"turns": [{"text": "The entry is noted. " * 40}] * 60,
                    "when": [{"contains": "You condense the record", "turns": [failing]}]}, window=8192)
        events = []
        while not [e for e in events if e["type"] == "compact"]:
            self.model.reset()
            events = self.send("Note the next entry. " + "It was paid by card. " * 40)
        asked = [r for r in self.model.requests() if "You condense the record" in json.dumps(r)]
        self.assertEqual(len(asked), 2, "one retry, then the oldest is left out")
        self.assertIn("overloaded", [e["why"] for e in events if e["type"] == "compact"][0])

    def test_follow_up_turns_begin_with_the_same_bytes(self):
        turn = [{"calls": [{"tool": "read", "input": {"file_path": "/a.txt"}}]}, {"text": "Fine."}]
        self.begin({"turns": turn * 10}, window=65536)
        self.put("a.txt", "content\n")
        self.put("AGENTS.md", "Be brief.\n")
        events = [e for text in ("first", "second", "third") for e in self.send(text)]
        requests = self.model.requests()
        self.assertEqual(len(requests), 6)
        for before, after in zip(requests, requests[1:]):
            self.assertEqual(before["tools"], after["tools"])
            self.assertEqual(json.dumps(before["tools"]), json.dumps(after["tools"]))
            n = len(before["messages"])
            self.assertEqual(json.dumps(before["messages"]), json.dumps(after["messages"][:n]))
            self.assertGreater(len(after["messages"]), n)
        self.assertFalse([e for e in events if e["type"] == "cache_break"])
        self.put("AGENTS.md", "Be very brief.\n")
        events = self.send("fourth")
        self.assertEqual([(e["part"], e["what"]) for e in events if e["type"] == "cache_break"], [("project", "/AGENTS.md changed")])

    def test_the_window_that_a_server_tells(self):
        self.begin({"turns": [{"text": "Hello."}] * 9, "window": 12345})
        events = self.send("hi")  # asked before the first request
        self.assertEqual([e["window"] for e in events if e["type"] == "usage"], [12345])
        found = self.context()
        self.assertEqual((found["window"], found["window_from"], found["compact_at"]), (12345, "provider", 12345 * 80 // 100))

    @unittest.skipUnless(os.environ.get("BX_CAN_UNWIRE") == "1", "this build has no switches")
    def test_a_window_that_is_not_waited_for(self):
        self.begin({"turns": [{"text": "Hello."}] * 9, "paths": Ollama.paths(loaded=False)}, unwire="await_window")
        self.assertEqual([e["window"] for e in self.send("hi") if e["type"] == "usage"], [None])

    def test_ollama_loads_the_model_before_the_first_request(self):
        """Its window is known once the model is loaded; the list of tools is chosen for it from the first request on."""
        ollama = Ollama(window=4096)
        self.addCleanup(ollama.stop)
        self.begin({"turns": []}, url=ollama.url)
        events = self.send("hi")
        self.assertEqual([e["window"] for e in events if e["type"] == "usage"], [4096])
        self.assertIn("loading m", [e["text"] for e in events if e["type"] == "state" and e["phase"] == "starting_model"])
        self.assertEqual(ollama.asked.count("/api/generate"), 1)
        self.assertLess(ollama.asked.index("/api/generate"), ollama.asked.index("/v1/chat/completions"))
        asked = len(ollama.asked)
        self.send("again")
        self.assertEqual(ollama.asked[asked:], ["/v1/chat/completions"])
        self.assertEqual(ollama.tools[0], ollama.tools[1])
        self.assertLess(len(json.dumps(ollama.tools[0])) / 4, 4096, "in a small window not all tools are told")

    def test_a_server_that_does_not_say(self):
        """The run goes on without a window, and the next one does not wait again."""
        ollama = Ollama(window=4096, silent=True)
        self.addCleanup(ollama.stop)
        self.begin({"turns": []}, url=ollama.url)
        self.assertEqual([e["window"] for e in self.send("hi") if e["type"] == "usage"], [None])
        self.assertEqual(ollama.asked[0], "/props")
        self.assertEqual([e["window"] for e in self.send("again") if e["type"] == "usage"], [None])
        self.assertLess(len(ollama.asked), 5, "who was asked once is asked once more, in the background")

    def test_a_window_of_the_settings_is_not_asked_for(self):
        ollama = Ollama(window=4096)
        self.addCleanup(ollama.stop)
        self.begin({"turns": []}, url=ollama.url, window=16384)
        self.assertEqual([e["window"] for e in self.send("hi") if e["type"] == "usage"], [16384])
        self.assertEqual(set(ollama.asked), {"/v1/chat/completions"})

    def test_a_window_that_nobody_knows_stays_unknown(self):
        nothing = {path: None for path in ("/props", "/api/ps", "/api/show", "/api/v0/models/m", "/v1/models")}
        self.begin({"turns": [{"text": "Hello."}] * 9, "paths": nothing})
        events = self.send("hi") + self.send("hi")
        self.assertEqual([e["window"] for e in events if e["type"] == "usage"], [None, None])
        found = self.context()
        self.assertEqual((found["window"], found["window_from"], found["compact_at"]), (None, None, None))

    def test_a_server_that_cuts_without_saying_so(self):
        cut = {"text": "What?", "usage": {"prompt_tokens": 300, "completion_tokens": 2}}
        self.begin({"turns": [cut] * 9}, window=65536)
        events = self.send("x " * 4000)
        self.assertEqual([e["truncated"] for e in events if e["type"] == "usage"], [True])
        said = [e["text"] for e in events if e["type"] == "limit" and e["limit"] == "context"]
        self.assertIn("counted 300 tokens of about", said[0])
        found = self.context()
        self.assertEqual((found["truncated"], found["window"], found["window_from"]), (True, 300, "counted"))

    def test_memory_and_packs_on_the_command_line(self):
        folder = tempfile.TemporaryDirectory(prefix="bx-context-")
        self.addCleanup(folder.cleanup)
        pack = os.path.join(folder.name, "pack.json")

        def call(*args):
            done = subprocess.run([os.environ["BOXAGNTS"], *args, "--workspace-dir", folder.name], capture_output=True, text=True)
            return done.returncode, done.stdout, done.stderr

        def write(text):
            with open(pack, "w") as file:
                file.write(text)

        self.assertEqual(call("memory", "show"), (0, "", ""))
        self.assertEqual(call("memory", "add", "We use tabs."), (0, "", ""))
        self.assertEqual(call("memory", "add", "We use tabs."), (0, "it is there already\n", ""))
        self.assertEqual(call("memory", "show")[1], "- We use tabs.\n")
        write("- Something else.\n")
        self.assertEqual(call("memory", "set", pack)[0], 0)
        self.assertEqual(call("memory", "show")[1], "- Something else.\n")
        write("x" * 17000)
        self.assertIn("may be 16384 bytes long", call("memory", "set", pack)[2])
        write('{"items":[{"kind":"file","path":"/gone"}]}')
        self.assertEqual(call("pack", "put", "mine", pack), (0, "", ""))
        self.assertIn("missing: the file /gone", call("pack", "list")[1])
        self.assertEqual(json.loads(call("pack", "show", "mine")[1])["items"], [{"kind": "file", "path": "/gone"}])
        write('{"items":[{"kind":"url"}]}')
        self.assertIn('item 1: "kind" must be text, file, message or skill', call("pack", "put", "mine", pack)[2])
        self.assertEqual(call("pack", "remove", "mine")[0], 0)
        code, _, error = call("pack", "remove", "mine")
        self.assertEqual((code, error), (1, 'boxagnts: there is no pack "mine"\n'))


class Restart(Conversation):
    """The guard of the prefix goes on from what the last process told."""

    def breaks(self):
        return [(e["part"], e["what"]) for e in self.workspace.events(self.session) if e["type"] == "cache_break"]

    def put(self, text):
        with open(os.path.join(self.workspace.root, "AGENTS.md"), "w") as file:
            file.write(text)

    def say(self, text):
        ended = sum(e["type"] == "run_end" for e in self.workspace.events(self.session))
        self.send(text)
        self.assertEqual(self.wait_for({"type": "run_end"}, ended + 1)["reason"], "done")

    def again(self, unwire=""):
        self.server.end()
        os.environ["BX_UNWIRE"] = unwire
        self.addCleanup(os.environ.pop, "BX_UNWIRE", None)
        self.restart()

    def test_a_change_between_two_processes_is_told(self):
        self.begin(*[{"calls": [{"tool": "read", "input": {"file_path": "/AGENTS.md"}}]}, {"text": "Fine."}] * 9)
        self.put("Be brief.\n")
        self.say("first")
        self.say("second")
        self.again()
        self.say("nothing has changed")
        self.assertEqual(self.breaks(), [])
        self.put("Be very brief.\n")
        self.again()
        self.say("third")
        self.assertEqual(self.breaks(), [("project", "/AGENTS.md changed")])
        self.assertEqual(self.server.call("PUT", "/memory", {"text": "- We use tabs.\n"})[0], 200)
        self.again()
        self.say("fourth")
        self.assertEqual(self.breaks()[1:], [("memory", "memory.md came")])
        usage = [e["prefix"] for e in self.workspace.events(self.session) if e["type"] == "usage"]
        self.assertEqual([i for i, p in enumerate(usage) if "front" in p], [0, 6, 8], "the front is written when it changes")
        self.assertLess(max(len(p["messages"]) for p in usage), 4, "of the conversation only what came")

    def test_a_message_that_was_taken_back(self):
        self.begin(*[{"text": "Fine."}] * 9)
        self.say("first")
        self.say("second")
        second = self.wait_for({"type": "user", "text": "second"})["seq"]
        self.again()
        self.assertEqual(self.server.call("POST", f"/sessions/{self.session}/messages", {"text": "other", "replace": second})[0], 202)
        self.wait_for({"type": "run_end"}, 3)
        self.assertEqual(self.breaks(), [("history", f"event {second} is no longer told")])

    @unittest.skipUnless(os.environ.get("BX_CAN_UNWIRE") == "1", "this build has no switches")
    def test_without_the_guard_it_is_not_told(self):
        self.begin(*[{"text": "Fine."}] * 9)
        self.put("Be brief.\n")
        self.say("first")
        self.put("Be very brief.\n")
        self.again("prefix_guard")
        self.say("second")
        self.assertEqual(self.breaks(), [])


if __name__ == "__main__":
    unittest.main()
