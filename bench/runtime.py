"""Many runs at once: turns per second of 1, 10 and 100 on the scripted model, the memory beside it, and eight calls against one."""
import statistics
import time

from rig import now_us, rss_of

TURNS = 20  # with a call each, and one more with the answer
ANSWER = {"text": "That is what the file says."}


def script(call, reads):
    """What the scripted model says to the words of this bench."""
    return [{"contains": "bench-turns", "turns": [{"calls": reads(1)}] * TURNS + [ANSWER]},
            {"contains": "bench-wait-one", "turns": [{"calls": [call("Sleep", ms=200)]}, ANSWER] * 20},
            {"contains": "bench-wait-eight", "turns": [{"calls": [call("Sleep", ms=200)] * 8}, ANSWER] * 20},
            {"contains": "bench-read-one", "turns": [{"calls": reads(1)}, ANSWER] * 60},
            {"contains": "bench-read-eight", "turns": [{"calls": reads(8)}, ANSWER] * 60}]


def at_once(scene, count):
    """(turns per second, peak of the server's memory in MB, of one worker) of so many runs side by side."""
    server = scene.server
    sessions = [server.post("/api/v1/sessions", {})["id"] for _ in range(count)]
    began, peak = now_us(), 0
    for ident in sessions:
        server.post(f"/api/v1/sessions/{ident}/messages", {"text": "bench-turns"})
    while True:
        peak = max(peak, rss_of(server.pid)[0])
        rows = {r["id"]: r for r in server.get("/api/v1/sessions?limit=500")["sessions"]}
        if not any(rows[ident]["running"] for ident in sessions):
            break
        time.sleep(0.01)
    seconds = (now_us() - began) / 1e6
    for ident in sessions:
        end = server.get(f"/api/v1/sessions/{ident}/events?from=1&limit=5000")["events"][-1]
        if end["type"] != "run_end" or (end["reason"], end["turns"]) != ("done", TURNS + 1):
            raise SystemExit(f"bench: a run of {count} went wrong: {end}")
    return count * (TURNS + 1) / seconds, peak / 1024


def calls_span(scene, word, rounds):
    """The median of the time from the reply with the calls to the next request, in ms."""
    spans = []
    for _ in range(rounds):
        ident, ws = scene.session()  # each in its own, before the window is full and the conversation is compacted
        scene.endpoint.reset()
        scene.turn(ident, ws, word)
        first, second = scene.endpoint.requests()
        spans.append((second["at_us"] - first["replied_at_us"]) / 1000)
        ws.close()
    return statistics.median(spans)


def sessions_span(scene, count):
    """So many sessions, a reply with eight waiting calls in each: ms until the last has ended."""
    server = scene.server
    sessions = [server.post("/api/v1/sessions", {})["id"] for _ in range(count)]
    began = now_us()
    for ident in sessions:
        server.post(f"/api/v1/sessions/{ident}/messages", {"text": "bench-wait-eight"})
    while any(server.get(f"/api/v1/sessions/{ident}")["session"]["running"] for ident in sessions):
        time.sleep(0.005)
    return (now_us() - began) / 1000


def measure(scene, row):
    at_once(scene, 1)  # what is made once is made
    for count in (1, 10, 100):
        speed, peak = at_once(scene, count)
        row(f"{count} run{'s' * (count > 1)} at once: turns a second", f"{speed:.0f}", "", None,
            note=f"a call in each turn; the server's memory {peak:.1f} MB at its peak")
    one, ten = sessions_span(scene, 1), sessions_span(scene, 10)
    row("10 sessions with 8 waiting calls each, against one", f"{ten / one:.2f} times", "1.5 times", ten <= one * 1.5,
        note=f"{ten:.0f} ms and {one:.0f} ms, from the message to the end")
    for what, word, rounds in (("that wait 200 ms", "wait", 5), ("that read a file", "read", 30)):
        one, eight = (calls_span(scene, f"bench-{word}-{n}", rounds) for n in ("one", "eight"))
        good = eight <= one * 1.5 if word == "wait" else None
        row(f"8 calls {what} in one reply, against one", f"{eight / one:.2f} times", "1.5 times" if word == "wait" else "", good,
            note=f"{eight:.1f} ms and {one:.1f} ms, from the reply to the next request")
