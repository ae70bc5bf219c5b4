"""What the flow tests share: a workspace in a temporary folder, a scripted model, and the binary under test."""
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

BINARY = os.environ["BOXAGNTS"]
ENDPOINT = os.environ.get("SCRIPTED_ENDPOINT") # only those who start a model need it
PATIENCE = 180  # seconds until a test gives up waiting for something that must happen
OPEN = build_opener(ProxyHandler({})).open


def in_time(attempt, enough, first_ms=300):
    """What attempt(ms) gives, a call with that time limit, which must have come to something before its time was up: where it did
    not, because the machine is slow, it has more."""
    ms = first_ms
    while True:
        result = attempt(ms)
        if enough(result) or ms > 30000:
            return result, ms
        ms *= 4


class Model:
    """The scripted model server; the script is data (tests/peers/scripted.h says its form)."""

    def __init__(self, folder, script):
        path = os.path.join(folder, "script.json")
        with open(path, "w") as file:
            json.dump(script, file)
        self.process = subprocess.Popen([ENDPOINT, path], stdout=subprocess.PIPE, text=True)
        self.url = f"http://127.0.0.1:{self.process.stdout.readline().split()[1]}/v1"

    def requests(self):
        text = OPEN(self.url[:-3] + "/_requests", timeout=PATIENCE).read()
        return json.loads(text)

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


class Workspace:
    def __init__(self, settings=None, files=None, links=None):
        self.folder = tempfile.mkdtemp(prefix="bx-flow-")
        self.path = os.path.join(self.folder, "ws")
        self.root = os.path.join(self.path, "root")
        self.state = os.path.join(self.path, ".boxagnts")
        os.makedirs(self.root)
        os.makedirs(self.state)
        self.model = None
        self.settings = settings or {}
        for name, content in (files or {}).items():
            path = os.path.join(self.root, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as file:
                file.write(content)
        for name, target in (links or {}).items():
            os.symlink(target, os.path.join(self.root, name))

    def start_model(self, script):
        self.model = Model(self.folder, script)
        settings = dict(self.settings)
        settings["providers"] = {"scripted": {"base_url": self.model.url, "models": [{"id": "m", "window": 32768}]}}
        with open(os.path.join(self.state, "settings.json"), "w") as file:
            json.dump(settings, file)

    def environment(self):
        env = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"):
            env[name] = os.path.join(self.folder, name)
        os.makedirs(env["XDG_RUNTIME_DIR"], mode=0o700, exist_ok=True)
        return env

    def command(self, *args):
        return subprocess.Popen([BINARY, *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, env=self.environment(), cwd=self.folder)

    def sessions(self):
        folder = os.path.join(self.state, "sessions")
        return sorted(name[:-6] for name in os.listdir(folder) if name.endswith(".jsonl"))

    def events(self, session):
        """Of a session's file, without the header."""
        with open(os.path.join(self.state, "sessions", session + ".jsonl")) as file:
            return [json.loads(line) for line in file.read().split("\n")[1:-1]] # the last one may be half written

    def wait_for(self, session, pattern, n=1):
        """The n-th event like the pattern, once it is on the disk."""
        give_up = time.monotonic() + PATIENCE
        while time.monotonic() < give_up:
            found = [event for event in self.events(session) if matches(pattern, event)]
            if len(found) >= n:
                return found[n - 1]
            time.sleep(0.01)
        raise AssertionError(f"{pattern} did not come: {self.events(session)}")

    def close(self):
        if self.model:
            self.model.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Run:
    """`boxagnts run --json` with its events as they come."""

    def __init__(self, workspace, prompt, *args):
        self.process = workspace.command("run", "--workspace-dir", workspace.path, "--model", "scripted/m", "--json", *args, prompt)
        self.watchdog = threading.Timer(PATIENCE, self.process.kill)
        self.watchdog.start()
        self.seen = []

    def wait_for(self, pattern):
        for line in self.process.stdout:
            event = json.loads(line)
            self.seen.append(event)
            if matches(pattern, event):
                return event
        raise AssertionError(f"{pattern} did not come; the last event is {self.seen[-1:]}; {self.process.stderr.read()}")

    def signal(self, number=signal.SIGINT):
        self.process.send_signal(number)

    def finish(self):
        self.seen += [json.loads(line) for line in self.process.stdout]
        self.error = self.process.stderr.read()
        code = self.process.wait()
        self.watchdog.cancel()
        self.process.stdout.close()
        self.process.stderr.close()
        return code


def matches(pattern, value):
    """Is the pattern part of the value? {"$has": text} stands for any text (or JSON) that has it, {"$lacks": text} for one
    that has not."""
    if isinstance(pattern, dict) and ("$has" in pattern or "$lacks" in pattern):
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        return pattern.get("$has", "") in text and ("$lacks" not in pattern or pattern["$lacks"] not in text)
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(k in value and matches(v, value[k]) for k, v in pattern.items())
    if isinstance(pattern, list):
        return isinstance(value, list) and len(pattern) == len(value) and all(map(matches, pattern, value))
    return pattern == value and type(pattern) is type(value)


class Server:
    """`boxagnts serve` on a workspace that outlives it."""

    def __init__(self, workspace, file_limit=None):
        """file_limit: bytes beyond which no file of this server can grow, as on a full disk."""
        limit = (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit))) if file_limit else None
        self.process = subprocess.Popen([BINARY, "serve", "--workspace-dir", workspace.path, "--port", "0"],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                                        env=workspace.environment(), cwd=workspace.folder, preexec_fn=limit)
        self.url = None
        for line in self.process.stdout:
            found = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
            if found:
                self.url = f"http://127.0.0.1:{found[1]}/api/v1"
                break
        with open(os.path.join(workspace.state, "auth.json")) as file:
            self.token = json.load(file)["api_token"]

    def call(self, method, path, body=None):
        data = json.dumps(body).encode() if body is not None else None
        request = Request(self.url + path, data, {"Authorization": "Bearer " + self.token, "Content-Type": "application/json"},
                          method=method)
        try:
            with OPEN(request, timeout=PATIENCE) as reply:
                return reply.status, json.loads(reply.read() or "null")
        except HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or "null")

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        self.process.stdout.close()
        return code


class Conversation(unittest.TestCase):
    """One session of a server, with a scripted model: shared by tests that talk to it as a program does."""

    def setUp(self):
        self.workspace = Workspace()
        self.addCleanup(self.workspace.close)
        self.server = None

    def tearDown(self):
        if self.server and self.server.process.poll() is None:
            self.server.end(signal.SIGKILL)

    def begin(self, *turns, when=()):
        self.workspace.start_model({"turns": turns, "when": when})
        self.server = Server(self.workspace)
        status, row = self.server.call("POST", "/sessions", {"model": "scripted/m"})
        self.assertEqual(status, 201)
        self.session = row["id"]

    def restart(self):
        """A killed server's child that was just being made holds the workspace's lock until it is made."""
        give_up = time.monotonic() + PATIENCE
        self.server = Server(self.workspace)
        while not self.server.url:
            self.assertLess(time.monotonic(), give_up, "the server does not start")
            self.server.end()
            self.server = Server(self.workspace)

    def send(self, text, status=202):
        self.assertEqual(self.server.call("POST", f"/sessions/{self.session}/messages", {"text": text})[0], status)

    def answer(self, question, choice, status=202, **more):
        body = dict(question=question["question"], choice=choice, **more)
        self.assertEqual(self.server.call("POST", f"/sessions/{self.session}/answers", body)[0], status)

    def wait_for(self, pattern, n=1):
        return self.workspace.wait_for(self.session, pattern, n)
