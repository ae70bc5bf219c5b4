#!/usr/bin/env python3
"""Many pages that watch a session while it streams, and some that never read.

    BOXAGNTS=… SCRIPTED_ENDPOINT=… python3 bench/watchers.py [--watchers 1000] [--stuck 200] [--turns 40]

Prints how many events were lost (must be 0) and the server's resident memory before, with all open, and after."""
import argparse
import os
import selectors
import socket
import struct
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "tests", "flow"), os.path.join(HERE, "..", "tests", "attack")]
from client import Server  # noqa: E402
from test_api import Model  # noqa: E402


def resident_kib(server):
    with open(f"/proc/{server.process.pid}/status") as file:
        return int(next(line for line in file if line.startswith("VmRSS")).split()[1])


class Watcher:
    """Reads frames without ever blocking; knows the numbers of the events it saw."""

    def __init__(self, ws, session):
        self.ws, self.socket, self.data, self.seqs, self.messages, self.ended = ws, ws.socket, b"", [], 0, False
        ws.say(op="subscribe", session=session)
        self.socket.setblocking(False)

    def read(self):
        try:
            piece = self.socket.recv(1 << 20)
        except BlockingIOError:
            return
        if not piece:
            raise EOFError("the server closed a watcher")
        self.data += piece
        at = 0
        while len(self.data) - at >= 2:
            opcode, length, head = self.data[at] & 15, self.data[at + 1], 2
            if length == 126:
                if len(self.data) - at < 4:
                    break
                length, head = struct.unpack_from(">H", self.data, at + 2)[0], 4
            elif length == 127:
                if len(self.data) - at < 10:
                    break
                length, head = struct.unpack_from(">Q", self.data, at + 2)[0], 10
            if len(self.data) - at < head + length:
                break
            if opcode == 1:
                self.take(self.data[at + head:at + head + length])
            at += head + length
        self.data = self.data[at:]

    def take(self, message):
        self.messages += 1
        mark = message.find(b'"event":{"seq":')
        if mark >= 0:
            self.seqs.append(int(message[mark + 15:message.index(b",", mark)]))
            self.ended |= b'"type":"run_end"' in message


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--watchers", type=int, default=1000)
    parser.add_argument("--stuck", type=int, default=200)
    parser.add_argument("--turns", type=int, default=40)
    options = parser.parse_args()
    call = {"text": "a piece of text of this turn " * 8, "calls": [{"tool": "Sleep", "input": {"ms": 1}}]}
    model = Model([call] * options.turns + [{"text": "done"}])
    with Server() as server:
        assert model.use(server).status == 200
        session = server.api("POST", "/sessions", {}).json["id"]
        before = resident_kib(server)
        chooser, watchers, stuck = selectors.DefaultSelector(), [], []
        for _ in range(options.watchers):
            watcher = Watcher(server.websocket(), session)
            watchers.append(watcher)
            chooser.register(watcher.socket, selectors.EVENT_READ, watcher)
        for _ in range(options.stuck):
            ws = server.websocket()
            ws.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            ws.say(op="subscribe", session=session)
            stuck.append(ws)
        opened = resident_kib(server)
        began = time.monotonic()
        server.api("POST", f"/sessions/{session}/messages", {"text": "go"})
        peak = opened
        while not all(w.ended for w in watchers):
            ready = chooser.select(60)
            if not ready:
                break
            for key, _ in ready:
                key.data.read()
            peak = max(peak, resident_kib(server))
        seconds = time.monotonic() - began
        slowest = time.monotonic()
        health = server.request("GET", "/healthz").status
        slowest = time.monotonic() - slowest
        events = server.api("GET", f"/sessions/{session}").json["session"]["events"]
        lost = sum(events - len(set(w.seqs)) for w in watchers)
        disorder = sum(w.seqs != sorted(set(w.seqs)) for w in watchers)
        after = resident_kib(server)
        print(f"watchers {options.watchers}, never reading {options.stuck}, events {events}, "
              f"messages {sum(w.messages for w in watchers)} in {seconds:.1f} s")
        print(f"lost {lost}, watchers out of order {disorder}")
        print(f"resident KiB: before {before}, all open {opened}, peak {peak}, after {after}; "
              f"a small request then: {health} in {slowest * 1000:.1f} ms")
        for ws in stuck:
            ws.socket.close()
        for w in watchers:
            w.socket.close()
    model.stop()
    return 1 if lost or disorder else 0


if __name__ == "__main__":
    import resource
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    sys.exit(main())
