#!/usr/bin/env python3
"""SIGKILL at random moments, under load: nothing that was acknowledged is lost, every session opens, what was interrupted is
closed, what waits for a person still waits, and the check of the files finds nothing.

The load: several sessions at once talk to a scripted model, whose replies stream and call tools (in the sandbox, native, ones
that write files, and executors); meanwhile sessions are renamed, pinned, copied, deleted and brought back. Acknowledged is what an
answer (202, 201, 200, 204) or an event on a WebSocket said. Some kills come while the server is just starting.

BX_CRASH_KILLS=1000 (make crash) for the full size, BX_CRASH_SEED to see a run again (as far as timing lets it)."""
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import unittest
from http.client import HTTPException
from urllib.error import URLError

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "attack"))
from boxagnts import BINARY, PATIENCE, Server, Workspace  # noqa: E402
from client import WebSocket  # noqa: E402

KILLS = int(os.environ.get("BX_CRASH_KILLS", "15"))
SEED = int(os.environ.get("BX_CRASH_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 30)
DRIVERS = 4
LIFETIME = 25  # kills that a session lives through before a driver begins another

CALLS = [{"tool": "read", "input": {"file_path": "note.txt"}}, {"tool": "glob", "input": {"pattern": "*.txt"}},
         {"tool": "Sleep", "input": {"ms": 30}}]
TURNS = [
    {"text": "I look. " * 20, "calls": CALLS[:2]},
    {"calls": [{"tool": "write", "input": {"file_path": "out.txt", "content": "x" * 5000}}, CALLS[2]], "chunk_bytes": 40},
    {"reasoning": "hm " * 30, "text": "a longer answer, in pieces. " * 100, "chunk_bytes": 64},
    {"text": "slow", "stall_ms": 40, "calls": CALLS},
    {"calls": [{"tool": "Agent", "input": {"description": "probe", "prompt": "probe: do it"}}, CALLS[0]]},
    {"text": "that is all"},
]


def asks(name):
    return [{"calls": [{"tool": "write", "input": {"file_path": name, "content": "asked"}}]}, {"text": "thank you"}]


DELEGATES = [{"calls": [{"tool": "Agent", "input": {"description": "asker", "prompt": "asker: do it"}}]}, {"text": "thank you"}]
PROBE = [{"calls": CALLS[:2]}, {"text": "found. " * 30, "chunk_bytes": 64}]  # an executor's


class Acknowledged:
    """What the server said it has, by session. Only ever added to; the checker compares after a restart."""

    def __init__(self):
        self.lock = threading.Lock()
        self.events = {}  # session -> {seq: event}
        self.texts = {}   # session -> texts that were taken with 202
        self.titles = {}  # session -> [titles that may be: the last acknowledged one and those asked for since]
        self.places = {}  # session -> "list", "trash" or "either"
        self.copies = {}  # copy -> (of, seq)

    def event(self, session, event):
        with self.lock:
            self.events.setdefault(session, {})[event["seq"]] = event


class Driver(threading.Thread):
    """One session that is talked to, until the server is gone."""

    def __init__(self, crash, server, session, rng):
        super().__init__(daemon=True)
        self.crash, self.server, self.session, self.rng = crash, server, session, rng

    def run(self):
        try:
            with WebSocket(self.crash.address(self.server), [("Authorization", "Bearer " + self.server.token)], "/ws") as ws:
                ws.say(op="subscribe", session=self.session, **{"from": 1 + max(self.crash.ack.events.get(self.session, {0: 0}))})
                self.say_something()
                while True:
                    message = ws.hear()
                    event = message.get("event", {})
                    if message["op"] == "event" and "seq" in event:
                        self.crash.ack.event(self.session, event)
                        if event["type"] == "run_end" or (event["type"] == "assistant" and self.rng.random() < 0.1):
                            self.say_something()  # or typed while it works
        except (OSError, EOFError, HTTPException, URLError, ValueError, KeyError):
            pass  # the server was killed

    def say_something(self):
        text = f"message {self.rng.randrange(1 << 60)}"
        status, _ = self.server.call("POST", f"/sessions/{self.session}/messages", {"text": text})
        if status == 202:
            with self.crash.ack.lock:
                self.crash.ack.texts.setdefault(self.session, []).append(text)


class Mover(threading.Thread):
    """Does things with whole sessions: its own, which nobody talks to."""

    def __init__(self, crash, server, rng):
        super().__init__(daemon=True)
        self.crash, self.server, self.rng = crash, server, rng

    def run(self):
        try:
            while True:
                self.one()
        except (OSError, EOFError, HTTPException, URLError, ValueError):
            pass

    def one(self):
        ack, rng = self.crash.ack, self.rng
        mine = [s for s, place in list(ack.places.items())]
        what = rng.randrange(5) if mine else 0
        if what == 0 and len(mine) < 40:
            return self.fork()
        session = rng.choice(mine) if mine else None
        if session is None:
            return time.sleep(0.01)
        if what == 1:
            title = f"title {rng.randrange(1 << 60)}"
            with ack.lock:
                ack.titles[session].append(title)
            if self.server.call("PATCH", f"/sessions/{session}", {"title": title})[0] == 200:
                with ack.lock:
                    ack.titles[session] = [title]
        elif what in (2, 3):
            before = ack.places[session]
            ack.places[session] = "either"
            if what == 2:
                status = self.server.call("DELETE", f"/sessions/{session}")[0]
                after = "trash"
            else:
                status = self.server.call("POST", f"/sessions/{session}/restore")[0]
                after = "list"
            ack.places[session] = after if status in (200, 204) else before if before != "either" else "either"
        return None

    def fork(self):
        source = self.rng.choice(self.crash.sessions)
        with self.crash.ack.lock:
            seqs = sorted(self.crash.ack.events.get(source, {}))
        seq = self.rng.choice(seqs) if seqs else 0
        status, row = self.server.call("POST", f"/sessions/{source}/fork", {"seq": seq} if seq else {})
        if status == 201:
            with self.crash.ack.lock:
                self.crash.ack.copies[row["id"]] = (source, row["forked_from"]["seq"])
                self.crash.ack.titles[row["id"]] = [row["title"]]
                self.crash.ack.places[row["id"]] = "list"


class Address:
    def __init__(self, port):
        self.port, self.host = port, f"127.0.0.1:{port}"

    connect = None


class Crash(unittest.TestCase):
    def setUp(self):
        self.rng = random.Random(SEED)
        self.workspace = Workspace(settings={"mode": "accept-edits"}, files={"note.txt": "hello\n"})
        self.addCleanup(self.workspace.close)
        self.workspace.start_model({"turns": TURNS * 400, "when": [{"contains": '"content":"probe: do it', "turns": PROBE},
                                                                       {"contains": "ask me first", "turns": asks("asked.txt")},
                                                                       {"contains": '"content":"asker: do it', "turns": asks("below.txt")},
                                                                       {"contains": "let one ask", "turns": DELEGATES}]})
        self.server = None
        self.ack = Acknowledged()
        self.sessions, self.retired, self.ages = [], [], {}
        self.kills = self.kills_at_start = self.executors = 0

    def tearDown(self):
        if self.server:
            self.server.end(signal.SIGKILL)

    def address(self, server):
        port = int(re.search(r":(\d+)/", server.url)[1])
        address = Address(port)
        import socket
        address.connect = lambda: socket.create_connection(("127.0.0.1", port), PATIENCE)
        return address

    def start(self):
        """A killed server's worker may hold the lock for a moment."""
        give_up = time.monotonic() + PATIENCE
        while True:
            self.server = Server(self.workspace)
            if self.server.url:
                return
            self.server.end()
            self.assertLess(time.monotonic(), give_up, "the server does not start")

    def ok(self, method, path, body=None, status=200):
        got, reply = self.server.call(method, path, body)
        self.assertEqual(got, status, (method, path, SEED))
        return reply

    def renew_sessions(self):
        for session in [s for s in self.sessions if self.ages[s] >= LIFETIME]:
            self.sessions.remove(session)
            self.retired.append(session)
        while len(self.sessions) < DRIVERS:
            session = self.ok("POST", "/sessions", {"model": "scripted/m"}, 201)["id"]
            self.sessions.append(session)
            self.ages[session] = 0

    # ---- what must hold after a restart ----

    def closed(self, session):
        """All its events, once its last run has an end: recovery goes on behind the first answers."""
        give_up = time.monotonic() + PATIENCE
        while True:
            events = self.workspace.events(session)
            runs = [e["type"] for e in events if e["type"] in ("run_start", "run_end")]
            if not runs or runs[-1] == "run_end":
                return events
            self.assertLess(time.monotonic(), give_up, (session, events[-3:], SEED))
            time.sleep(0.01)

    def check_talk(self, session):
        events = self.closed(session)
        by_seq = {e["seq"]: e for e in events}
        self.assertEqual(sorted(by_seq), list(range(1, len(events) + 1)), (session, SEED))
        for seq, event in self.ack.events.get(session, {}).items():
            self.assertEqual(by_seq.get(seq), event, (session, seq, SEED))
        texts = {e["text"] for e in events if e["type"] in ("user", "queued")}
        for text in self.ack.texts.get(session, []):
            self.assertIn(text, texts, (session, SEED))
        self.check_calls(session, events)
        states = {e["executor"]: e["state"] for e in events if e["type"] == "executor"}
        for executor, state in states.items():
            self.assertNotIn(state, ("queued", "running"), (session, executor, SEED))
            self.check_calls(executor, self.closed(executor))
            self.assertEqual(self.ok("GET", f"/sessions/{executor}")["session"]["parent"]["session"], session)
        self.executors += len(states)
        self.ok("GET", f"/sessions/{session}")

    def check_calls(self, session, events):
        calls = {c["id"] for e in events if e["type"] == "assistant" for c in e["calls"]}
        results = {e["call"] for e in events if e["type"] == "tool_result"}
        self.assertLessEqual(calls, results, (session, SEED))

    def check_moved(self):
        for session, place in self.ack.places.items():
            where = [name for name in ("sessions", "trash") if os.path.exists(
                os.path.join(self.workspace.state, name, session + ".jsonl"))]
            self.assertEqual(len(where), 1, (session, where, SEED))
            self.assertIn(place, ("either", {"sessions": "list", "trash": "trash"}[where[0]]), (session, SEED))
            self.ack.places[session] = {"sessions": "list", "trash": "trash"}[where[0]]
            if where[0] == "sessions":
                row = self.ok("GET", f"/sessions/{session}")["session"]
                self.assertIn(row["title"], self.ack.titles[session], (session, SEED))
                self.ack.titles[session] = [row["title"]]
                self.assertEqual(row["forked_from"]["session"], self.ack.copies[session][0])

    def begin_to_wait(self):
        """Runs that wait for a person, through all that follows: one asks itself, one through an executor."""
        self.waiting = []
        for text, name in (("ask me first", "asked.txt"), ("let one ask", "below.txt")):
            manager = asker = self.ok("POST", "/sessions", {"model": "scripted/m", "mode": "default"}, 201)["id"]
            self.ok("POST", f"/sessions/{manager}/messages", {"text": text}, 202)
            if name == "below.txt":
                asker = self.workspace.wait_for(manager, {"type": "executor"})["executor"]
            question = self.workspace.wait_for(asker, {"type": "question"})["question"]
            self.waiting.append((manager, asker, question, os.path.join(self.workspace.root, name)))

    def check_waiting(self):
        give_up = time.monotonic() + PATIENCE
        for manager, asker, question, _ in self.waiting:
            while self.ok("GET", f"/sessions/{asker}")["question"] != question:
                self.assertLess(time.monotonic(), give_up, (manager, asker, SEED))
                time.sleep(0.01)
            self.assertEqual([e["type"] for e in self.workspace.events(manager) if e["type"] in ("run_end", "tool_result")], [], (manager, SEED))

    def end_of_waiting(self):
        self.check_waiting()
        for manager, asker, question, path in self.waiting:
            self.assertFalse(os.path.exists(path))
            self.ok("POST", f"/sessions/{asker}/answers", {"question": question, "choice": "once"}, 202)
            self.workspace.wait_for(manager, {"type": "run_end", "reason": "done"})
            self.assertTrue(os.path.exists(path))
            for session in {manager, asker}:
                self.check_calls(session, self.closed(session))

    def fsck(self):
        done = subprocess.run([BINARY, "session", "fsck", "--workspace-dir", self.workspace.path], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, env=self.workspace.environment(), timeout=10 * PATIENCE)
        self.assertEqual(done.returncode, 0, (done.stdout[-3000:], done.stderr, SEED))
        return done.stdout

    # ---- the test ----

    def load_and_kill(self):
        threads = [Driver(self, self.server, s, random.Random(self.rng.random())) for s in self.sessions]
        threads.append(Mover(self, self.server, random.Random(self.rng.random())))
        for thread in threads:
            thread.start()
        time.sleep(self.rng.uniform(0, 0.5))  # the random moment
        self.server.end(signal.SIGKILL)
        self.kills += 1
        for thread in threads:
            thread.join(PATIENCE)
            self.assertFalse(thread.is_alive(), "a client does not notice that the server is gone")
        for session in self.sessions:
            self.ages[session] += 1

    def kill_at_start(self):
        process = subprocess.Popen([BINARY, "serve", "--workspace-dir", self.workspace.path, "--port", "0"],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   env=self.workspace.environment(), cwd=self.workspace.folder)
        time.sleep(self.rng.uniform(0, 0.1))
        process.kill()
        process.wait()
        self.kills += 1
        self.kills_at_start += 1

    def test_kills(self):
        began = time.monotonic()
        self.start()
        self.begin_to_wait()
        while self.kills < KILLS:
            self.renew_sessions()
            self.load_and_kill()
            while self.kills < KILLS and self.rng.random() < 0.2:
                self.kill_at_start()
            self.start()
            for session in self.sessions:
                self.check_talk(session)
            self.check_moved()
            self.check_waiting()
            if self.kills % 50 == 0:
                print(f"{self.kills} kills, {time.monotonic() - began:.0f} s", file=sys.stderr)
        self.executors = 0
        for session in self.retired + self.sessions:
            self.check_talk(session)
        self.end_of_waiting()
        seen = sum(map(len, self.ack.events.values()))
        self.assertGreater(seen, 0)
        self.assertEqual(self.server.end(), 0)
        self.server = None
        said = self.fsck()
        print(f"{self.kills} kills ({self.kills_at_start} at the start), seed {SEED}: {seen} events and "
              f"{sum(map(len, self.ack.texts.values()))} messages acknowledged, {self.executors} executors, {len(self.ack.copies)} copies; {said.strip()}",
              file=sys.stderr)


if __name__ == "__main__":
    unittest.main()
