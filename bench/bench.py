#!/usr/bin/env python3
"""bench.py BINARY [ROW...]: the figures of "speed and size", measured now, one table.

Rows: call roundtrip eight request turn start memory list sleep stop binary watchers programs shell runtime (all when none is named).
Standard library only. What takes less than a millisecond is measured by the C programs beside the binary
(bench-call, bench-start, bench-watchers) or on the clock of the scripted model, which is the same monotonic clock as ours.
Where the machine has a peer (cat, python3, node) it is measured in the same run, turn by turn.
"""
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from rig import Endpoint, Server, connect_ws, free_port, here, now_us, rss_of
import programs
import runtime
import shell
import size

TURNS = int(os.environ.get("BENCH_TURNS", "100"))
table = []


def median(values):
    return statistics.median(values)


def at(values, part):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def row(what, now, goal, good, original="", peer="", note=""):
    table.append((what, now, goal, "" if good is None else "yes" if good else "NO", original, peer, note))
    mark = {True: "meets", False: "MISSES", None: "      "}[good]
    print(f"  {mark}  {what}: {now}  (goal {goal}){'  ' + peer if peer else ''}{'  ' + note if note else ''}",
          file=sys.stderr, flush=True)


def p50_p95(values_us):
    return f"{median(values_us) / 1e3:.2f} ms (p95 {at(values_us, 0.95) / 1e3:.2f})"


class Scene:
    """A scripted model and a server on a fresh workspace."""

    def __init__(self, binary, script):
        self.dir = tempfile.mkdtemp(prefix="bx-bench-")
        self.endpoint = Endpoint(here(binary), script, self.dir)
        os.makedirs(f"{self.dir}/w/root")
        os.makedirs(f"{self.dir}/w/.boxagnts")
        for i in range(8):
            with open(f"{self.dir}/w/root/file{i}.txt", "w") as file:
                file.write(f"{i}: the quick brown fox jumps over the lazy dog, and then some more\n" * 60)
        provider = {"base_url": f"http://127.0.0.1:{self.endpoint.port}/v1", "models": [{"id": "m", "window": 32768}]}
        with open(f"{self.dir}/w/.boxagnts/settings.json", "w") as file:
            json.dump({"providers": {"scripted": provider}, "model": "scripted/m"}, file)
        self.server = Server(binary, f"{self.dir}/w")

    def __enter__(self):
        self.server.start()
        return self

    def __exit__(self, *_):
        self.server.stop()
        self.endpoint.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def session(self):
        ws = connect_ws(self.server)
        ident = self.server.post("/api/v1/sessions", {})["id"]
        ws.send({"op": "subscribe", "session": ident, "from": 1})
        ws.until(lambda m: m.get("op") == "caught_up")
        return ident, ws

    def turn(self, ident, ws, text):
        """One message to the end of its run; (began, ended, events), microseconds."""
        began = now_us()
        ws.send({"op": "send", "session": ident, "text": text, "ref": "r"})
        events = ws.until_end()
        ended = now_us()
        if events[-1]["reason"] != "done" or any(e["type"] == "tool_result" and e["is_error"] for e in events):
            raise SystemExit(f"bench: a turn went wrong: {json.dumps(events)[:2000]}")
        return began, ended, events


def call(tool, **given):
    return {"tool": tool, "input": given}


def reads(count):
    return [call("read", file_path=f"file{i}.txt") for i in range(count)]


def alternating(calls, rounds=60):
    return [{"calls": calls}, {"text": "That is what the file says."}] * rounds


SCRIPT = {
    "when": [{"contains": "bench-eight", "turns": alternating(reads(8))},
             {"contains": "bench-sleep", "turns": alternating([call("Sleep", ms=200)] * 8)},
             {"contains": "bench-long", "turns": alternating([call("Sleep", ms=10000)])},
             {"contains": "bench-stream", "turns": [{"text": "All work and no play makes a watcher lose nothing. " * 400}]}],
    "turns": alternating(reads(1)),
}


def turns_measured(scene, word, turns, each=10):
    """Turns in fresh sessions: whole turn, prompt to request, reply with calls to next request."""
    whole, request, round_trip = [], [], []
    ident, ws = scene.session()
    for _ in range(5):
        scene.turn(ident, ws, word)
    for i in range(turns):
        if i % each == 0:
            ws.close()
            ident, ws = scene.session()
        scene.endpoint.reset()
        began, ended, _ = scene.turn(ident, ws, word)
        first, second = scene.endpoint.requests()
        whole.append(ended - began)
        request.append(first["at_us"] - began)
        round_trip.append(second["at_us"] - first["replied_at_us"])
    ws.close()
    return whole, request, round_trip


def bench_call(binary, _rows):
    done = subprocess.run([f"{here(binary)}/bench-call", "--verbose"], check=True, capture_output=True, text=True)
    ratio = float(done.stdout.split()[-1])
    lines = " · ".join(" ".join(line.split()) for line in done.stderr.splitlines())
    row("warm sandboxed read of 4 KB, both walls, to spawn of cat", f"{ratio:.2f} ×", "< 0.33 ×", ratio < 1 / 3,
        "2.4 ms", lines)


def bench_turns(binary, rows):
    with Scene(binary, SCRIPT) as scene:
        whole, request, one = turns_measured(scene, "bench-one", TURNS)
        _, _, eight = turns_measured(scene, "bench-eight", TURNS)
    if "roundtrip" in rows:
        row("tool round trip as the model sees it, 1 call", p50_p95(one), "1.5 ms", median(one) <= 1500, "16 ms (4.5)")
    if "eight" in rows:
        row("the same, 8 calls in one reply", p50_p95(eight), "3 ms", median(eight) <= 3000, "34 ms (24)")
    if "request" in rows:
        row("prompt to first byte of the model request", p50_p95(request), "2 ms", median(request) <= 2000, "104 ms (50)")
    if "turn" in rows:
        row("whole scripted turn with one tool", p50_p95(whole), "8 ms", median(whole) <= 8000, "128 ms (62)")


def bench_start(binary, _rows):
    with tempfile.TemporaryDirectory(prefix="bx-bench-") as scratch:
        port = free_port()

        def ours(runs):
            return start_times(binary, port, runs, [binary, "serve", "--workspace-dir", f"{scratch}/w", "--port", str(port)])
        ours(2)
        times, peers = [], {"python3 http.server": [], "node http": []}
        python = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)]
        node = ["node", "-e", f"require('http').createServer((q,a)=>a.end('ok')).listen({port},'127.0.0.1')"]
        for _ in range(10):
            times += ours(3)
            peers["python3 http.server"] += start_times(binary, port, 1, python, "/")
            if shutil.which("node"):
                peers["node http"] += start_times(binary, port, 1, node, "/")
    ratios = [f"{name} {median(v) / 1e3:.0f} ms: {median(times) / median(v):.3f} ×" for name, v in peers.items() if v]
    row("exec to first 200", p50_p95(times), "6 ms", median(times) <= 6000, "10.8 ms", " · ".join(ratios))


def start_times(binary, port, runs, command, path="/healthz"):
    done = subprocess.run([f"{here(binary)}/bench-start", str(port), str(runs)] + command, check=True, capture_output=True,
                          text=True, env={**os.environ, "BENCH_PATH": path})
    return [int(line) for line in done.stdout.split()]


def bench_memory(binary, _rows):
    with Scene(binary, SCRIPT) as scene:
        time.sleep(1)  # whatever the start still does in the background is part of idle
        idle = rss_of(scene.server.pid)
        marks = {}
        for done in range(0, 1001, 20):
            if done in (100, 500, 1000):
                marks[done] = (rss_of(scene.server.pid), rss_of(scene.server.worker()))
            if done == 1000:
                break
            ident, ws = scene.session()
            for i in range(20):
                scene.turn(ident, ws, "bench-one")
                if done + i == 0:
                    worker_idle = rss_of(scene.server.worker())
            ws.close()
            scene.endpoint.reset()
    server, worker = marks[1000]
    mb = 1024.0
    row("resident memory of the server, idle (Pss)", f"{idle[0] / mb:.1f} MB ({idle[1] / mb:.1f})", "8 MB", idle[0] <= 8 * mb,
        "14 MB")
    row("… and of a worker after one call (Pss)", f"{worker_idle[0] / mb:.1f} MB ({worker_idle[1] / mb:.1f})", "16 MB",
        worker_idle[0] <= 16 * mb)
    row("server after 1,000 turns with a tool (Pss)", f"{server[0] / mb:.1f} MB ({server[1] / mb:.1f})", "8 MB",
        server[0] <= 8 * mb, "50 MB", note=f"at 100 turns {marks[100][0][0] / mb:.1f}, at 500 {marks[500][0][0] / mb:.1f}")
    growth = (server[0] - marks[500][0][0]) / 500 # before that, buffers find their size
    row("… growth a turn, from turn 500", f"{growth:.2f} KB", "none", growth < 0.25, "11 KB")
    row("worker after 1,000 calls (Pss)", f"{worker[0] / mb:.1f} MB ({worker[1] / mb:.1f})", "16 MB", worker[0] <= 16 * mb,
        note=f"at 100 {marks[100][1][0] / mb:.1f}")


def write_sessions(folder, count):
    os.makedirs(folder, exist_ok=True)
    start_ms = int(time.time() * 1000) - count * 1000
    for i in range(count):
        ms, tail = start_ms + i * 1000, f"{i:012x}"
        ident = f"{ms >> 16:08x}-{ms & 0xffff:04x}-7{i % 4096:03x}-8{i % 4096:03x}-{tail}"
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms / 1000)) + f".{ms % 1000:03d}Z"
        run = "0" * 8 + ident[8:]
        events = [{"type": "run_start", "run": run, "model": "scripted/m", "mode": "default", "max_turns": 50},
                  {"type": "user", "run": run, "text": f"question {i}: " + "why is that so? " * 8},
                  {"type": "assistant", "run": run, "turn": 1, "text": "Because. " * 60, "calls": [], "finish": "stop"},
                  {"type": "run_end", "run": run, "reason": "done", "turns": 1, "ms": 5}]
        with open(f"{folder}/{ident}.jsonl", "w") as file:
            file.write(json.dumps({"v": 1, "id": ident, "created_at": stamp, "title": f"Session {i}", "model": "scripted/m",
                                   "mode": "default", "root": "/tmp", "kind": "chat"}) + "\n")
            file.writelines(json.dumps({"seq": n + 1, "t": stamp, **event}) + "\n" for n, event in enumerate(events))


def timed_get(server, path, times):
    values = []
    for _ in range(times):
        began = now_us()
        server.get(path)
        values.append(now_us() - began)
    return values


def bench_list(binary, _rows):
    path, cheap = "/api/v1/sessions?limit=50", "/api/v1/system"
    with Scene(binary, SCRIPT) as scene:
        server = scene.server
        server.stop()
        write_sessions(f"{scene.dir}/w/.boxagnts/sessions", 10000)
        server.start()
        never_read = timed_get(server, path, 1)[0]
        server.stop()
        firsts = []
        for _ in range(5):
            server.start()
            firsts += timed_get(server, path, 1)
            warm = timed_get(server, path, 200)
            found = len(server.get(path)["sessions"])
            busy = subprocess.Popen([sys.executable, __file__, "--list-again", str(server.port), server.token, path])
            time.sleep(0.3)
            meanwhile = timed_get(server, cheap, 300)
            busy.terminate()
            busy.wait()
            server.stop()
        if found != 50:
            raise SystemExit("bench: the list of sessions is short")
    row("list of 10,000 sessions (50 of them), warm", p50_p95(warm), "10 ms", median(warm) <= 10000, "240 ms")
    row("… the first after a start", p50_p95(firsts), "10 ms", median(firsts) <= 10000, "",
        note=f"without an index yet, every file read: {never_read / 1e3:.0f} ms")
    row("a cheap GET while lists are being fetched", p50_p95(meanwhile), "5 ms", median(meanwhile) <= 5000, "960 ms")


def list_again(port, token, path):
    server = Server("", "", int(port), token)
    while True:
        server.get(path)


def bench_sleep(binary, _rows):
    with Scene(binary, SCRIPT) as scene:
        ident, ws = scene.session()
        scene.turn(ident, ws, "bench-sleep")
        times = []
        for _ in range(10):
            began, ended, _ = scene.turn(ident, ws, "bench-sleep")
            times.append(ended - began)
    row("8 × Sleep 200 ms in one reply, whole turn", p50_p95(times), "260 ms", median(times) <= 260000, "1,637 ms")


def bench_stop(binary, _rows):
    with Scene(binary, SCRIPT) as scene:
        times = []
        for _ in range(20):
            ident, ws = scene.session()
            ws.send({"op": "send", "session": ident, "text": "bench-long", "ref": "r"})
            ws.until(lambda m: m.get("event", {}).get("type") == "tool_start")
            time.sleep(0.05)
            began = now_us()
            scene.server.post(f"/api/v1/sessions/{ident}/stop", None)
            end = ws.until_end()[-1]
            times.append(now_us() - began)
            ws.close()
            if end["reason"] != "stopped":
                raise SystemExit(f"bench: a stopped run ended as {end['reason']}")
    row("Stop during a tool, to run_end", p50_p95(times), "100 ms", max(times) <= 100000, "3,100 ms",
        note=f"worst {max(times) / 1e3:.1f} ms")


def bench_binary(binary, _rows):
    size_mb = os.path.getsize(binary) / 1e6
    parts = size.parts(binary + ".map") if os.path.exists(binary + ".map") else []
    row("binary, everything inside", f"{size_mb:.1f} MB", "40 MB", size_mb <= 40, "35.9 MB",
        note=" · ".join(f"{name} {n / 1e6:.1f}" for name, n in parts if n >= 50000))


def bench_programs(binary, _rows):
    for what, boxed, native, goal in programs.measure(binary):
        row("program: " + what, f"{boxed:.0f} ms", f"{goal} x", boxed <= goal * native, peer=f"the machine's own {native:.0f} ms",
            note=f"{boxed / native:.1f} x")


def bench_shell(binary, _rows):
    with Scene(binary, SCRIPT) as scene:
        for what, times, inside, native, goal in shell.measure(scene.server, f"{scene.dir}/w/root", TURNS):
            row("bash, warm: " + what, p50_p95(times), f"{goal} ms", median(times) <= goal * 1000,
                peer=f"bash -c {native / 1e3:.2f} ms: {median(times) / native:.2f} ×", note=f"in the box {inside / 1e3:.2f} ms")


def bench_watchers(binary, _rows):
    with Scene(binary, SCRIPT) as scene:
        server = scene.server
        sessions = [server.post("/api/v1/sessions", {})["id"] for _ in range(10)]
        alone = rss_of(server.pid)[0]
        watchers = subprocess.Popen([f"{here(binary)}/bench-watchers", str(server.port), server.token, "1000"] + sessions,
                                    stdout=subprocess.PIPE, text=True)
        if watchers.stdout.readline().strip() != "ready":
            raise SystemExit("bench: the watchers did not get ready")
        before = rss_of(server.pid)[0]
        peak = before
        for ident in sessions:
            server.post(f"/api/v1/sessions/{ident}/messages", {"text": "bench-stream"})
        while watchers.poll() is None:
            peak = max(peak, rss_of(server.pid)[0])
            time.sleep(0.02)
        told = json.loads(watchers.stdout.readline())
        time.sleep(1)
        after = rss_of(server.pid)[0]
    good = not (told["lost"] or told["doubled"] or told["unfinished"]) and told["events"] >= 4000
    row("1,000 WebSocket watchers of 10 streaming sessions: events lost", f"{told['lost'] + told['unfinished']} of {told['events']}",
        "0", good, note=f"{told['text_bytes'] / 1e6:.0f} MB of streamed text in {told['ms']} ms, "
        f"{told['text_missing_bytes']} bytes of it came with the whole only")
    row("… server's memory while they watch", f"{peak / 1024:.1f} MB peak", "flat", peak <= before * 1.5,
        note=f"alone {alone / 1024:.1f}, 1,000 connected {before / 1024:.1f}, after {after / 1024:.1f} MB")


def bench_runtime(binary, _):
    with Scene(binary, {"when": runtime.script(call, reads), "turns": [runtime.ANSWER]}) as scene:
        runtime.measure(scene, row)


BENCHES = [(("call",), bench_call), (("roundtrip", "eight", "request", "turn"), bench_turns), (("start",), bench_start),
           (("memory",), bench_memory), (("list",), bench_list), (("sleep",), bench_sleep), (("stop",), bench_stop),
           (("binary",), bench_binary), (("watchers",), bench_watchers), (("programs",), bench_programs), (("shell",), bench_shell),
           (("runtime",), bench_runtime)]


def print_table():
    head = ("what", "now", "goal", "met", "original", "peer in the same run", "note")
    columns = [i for i in range(len(head)) if i < 5 or any(line[i] for line in table)]
    print("| " + " | ".join(head[i] for i in columns) + " |")
    print("|" + "---|" * len(columns))
    for line in table:
        print("| " + " | ".join(line[i] for i in columns) + " |")


def main():
    if len(sys.argv) > 1 and sys.argv[1] == "--list-again":
        list_again(*sys.argv[2:5])
    if len(sys.argv) < 2 or not os.access(sys.argv[1], os.X_OK):
        raise SystemExit("usage: bench.py BINARY [ROW...]")
    binary = os.path.realpath(sys.argv[1])
    known = [name for names, _ in BENCHES for name in names]
    wanted = sys.argv[2:] or known
    if set(wanted) - set(known):
        raise SystemExit(f"bench: no such row: {', '.join(set(wanted) - set(known))}; there are {' '.join(known)}")
    load = os.getloadavg()[0]
    for names, bench in BENCHES:
        if set(names) & set(wanted):
            bench(binary, wanted)
    print_table()
    print(f"\n{os.cpu_count()} processors, load {load:.1f} at the start, {os.getloadavg()[0]:.1f} at the end; "
          "original: the Rust program with a scripted model, measured earlier on such a machine.")


if __name__ == "__main__":
    main()
