#!/usr/bin/env python3
"""link.py PROGRAM FOLDER: plays scripted conversations through PROGRAM MODEL SOCKET; exits 1 on a difference."""
import http.client
import json
import os
import socket
import subprocess
import sys
import time

PROGRAM, FOLDER = sys.argv[1:3]
SCRIPTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
SOCKET = os.path.join(FOLDER, "model.sock")
SCRIPT = [
    [{"tool": "read", "args": {"path": "a.txt"}}],
    [{"text": "Now I write it down."},
     {"tool": "write", "args": {"path": "b.txt", "content": "hé \"quoted\"\nline"}}],
    {"text": "Done: a.txt was read and b.txt was written. ✓"},
]
EXPECTED = [
    ("", [("read", {"path": "a.txt"})]),
    ("Now I write it down.", [("write", {"path": "b.txt", "content": "hé \"quoted\"\nline"})]),
    ("Done: a.txt was read and b.txt was written. ✓", []),
]


class UnixConnection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(SOCKET)


def request(path, body=None):
    connection = UnixConnection("localhost")
    connection.request("GET" if body is None else "POST", path, body and json.dumps(body))
    response = connection.getresponse()
    return response.status, json.loads(response.read())


def tool(name, *parameters):
    properties = {parameter: {"type": "string"} for parameter in parameters}
    schema = {"type": "object", "properties": properties, "required": list(parameters)}
    return {"type": "function", "function": {"name": name, "description": name, "parameters": schema}}


# The server holds calls to these schemas by a grammar, so they must fit the script
TOOLS = [tool("read", "path"), tool("write", "path", "content")]
TOUR_TOOLS = [tool("read", "file_path"), tool("glob", "pattern")]


def play(question, tools, **sampling):
    """The turns of one conversation as (text, [(tool, arguments)])."""
    messages, turns = [{"role": "user", "content": question}], []
    while len(turns) < 5:
        status, reply = request("/v1/chat/completions",
                                {"messages": messages, "tools": tools, "max_tokens": 400, **sampling})
        if status != 200:
            sys.exit("the server answered %d: %s" % (status, reply))
        message = reply["choices"][0]["message"]
        calls = message.get("tool_calls") or []
        turns.append(((message.get("content") or "").strip(),
                      [(call["function"]["name"], json.loads(call["function"]["arguments"])) for call in calls]))
        messages.append(message)
        if not calls:
            break
        messages += [{"role": "tool", "tool_call_id": call["id"], "content": "result"} for call in calls]
    return turns


def start(script, environment):
    model = os.path.join(FOLDER, "model.gguf")
    path = os.path.join(FOLDER, "script.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(script, file)
    subprocess.run([sys.executable, os.path.join(SCRIPTS, "scripted_gguf.py"), path, model], check=True)
    if os.path.exists(SOCKET):
        os.unlink(SOCKET)
    log = open(os.path.join(FOLDER, "log"), "w", encoding="utf-8")
    return subprocess.Popen([PROGRAM, model, SOCKET], stdout=log, stderr=log, env={**os.environ, **environment})


def log_text():
    with open(os.path.join(FOLDER, "log"), encoding="utf-8", errors="replace") as file:
        return file.read()


def wait_until_healthy(process):
    while process.poll() is None:
        try:
            if request("/health")[0] == 200:
                return
        except OSError:
            pass
        time.sleep(0.01)
    sys.exit("the server ended with status %d:\n%s" % (process.returncode, log_text()[-2000:]))


def check(label, script, expected, environment, tools=TOOLS, **sampling):
    process = start(script, environment)
    wait_until_healthy(process)
    for question in ("please", "Done: read <tool_call> " + "word " * 300):
        turns = play(question, tools, **sampling)
        if turns != expected:
            sys.exit("%s: expected %r, got %r" % (label, expected, turns))
    process.terminate()
    process.wait()
    print("ok", label)


def check_refusal(label, environment, words):
    process = start(SCRIPT, environment)
    status = process.wait()
    if status != 78 or words not in log_text():
        sys.exit("%s: status %d, said %r" % (label, status, log_text()[-300:]))
    print("ok", label)


def main():
    check("greedy", SCRIPT, EXPECTED, {"BOXAGNTS_CPU": "avx2"}, temperature=0)
    check("hot", SCRIPT, EXPECTED, {}, temperature=1.5, top_k=0, top_p=1, min_p=0, seed=7)
    with open("/proc/cpuinfo", encoding="ascii") as file:
        flags = file.read()
    if "avx512_vnni" in flags and "avx512vbmi" in flags:
        check("avx512", SCRIPT, EXPECTED, {"BOXAGNTS_CPU": "avx512"})
    else:
        check_refusal("avx512 refused", {"BOXAGNTS_CPU": "avx512"}, "no AVX-512")
    check_refusal("unknown CPU refused", {"BOXAGNTS_CPU": "sse"}, "must be avx2 or avx512")
    with open(os.path.join(SCRIPTS, "scripts", "tour.json"), encoding="utf-8") as file:
        tour = json.load(file)
    expected = [(tour[0][0]["text"], [("glob", {"pattern": "*"})]),
                ("", [("read", {"file_path": "README.md"})]), (tour[2]["text"], [])]
    check("tour", tour, expected, {}, TOUR_TOOLS)


main()
