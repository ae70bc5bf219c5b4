"""The two programs of a measurement, server and scripted model, and the least of HTTP and WebSocket that it takes."""
import base64
import json
import os
import signal
import socket
import struct
import subprocess
import time


def now_us():
    return time.monotonic_ns() / 1000


def here(binary):
    return os.path.dirname(binary)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def rss_of(pid):
    """(Rss, Pss) in KB."""
    found = {}
    with open(f"/proc/{pid}/smaps_rollup") as file:
        for line in file:
            name, _, rest = line.partition(":")
            if name in ("Rss", "Pss"):
                found[name] = int(rest.split()[0])
    return found["Rss"], found["Pss"]


class Http:
    """One keep-alive connection."""

    def __init__(self, port, token=""):
        self.port, self.token, self.sock, self.buffer = port, token, None, b""

    def connect(self):
        self.sock = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def close(self):
        if self.sock:
            self.sock.close()
        self.sock = None

    def ask(self, method, path, body=None):
        text = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nContent-Length: {len(text)}\r\n"
        if self.token:
            head += f"Authorization: Bearer {self.token}\r\n"
        if body is not None:
            head += "Content-Type: application/json\r\n"
        if not self.sock:
            self.connect()
        self.sock.sendall(head.encode() + b"\r\n" + text)
        status, content = self.reply()
        if status >= 300:
            raise SystemExit(f"bench: {method} {path}: {status} {content[:500]}")
        return json.loads(content) if content.strip() else None

    def more(self):
        piece = self.sock.recv(1 << 20)
        if not piece:
            raise ConnectionError("the connection ended")
        self.buffer += piece

    def reply(self):
        while b"\r\n\r\n" not in self.buffer:
            self.more()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        length = 0
        for line in lines[1:]:
            name, _, value = line.partition(":")
            if name.lower() == "content-length":
                length = int(value)
        while len(self.buffer) < length:
            self.more()
        content, self.buffer = self.buffer[:length], self.buffer[length:]
        return int(lines[0].split()[1]), content.decode()


class WebSocket:
    """Text frames, one JSON object each; the server's are never in pieces."""

    def __init__(self, port, token):
        http = Http(port, token)
        http.connect()
        http.sock.sendall((f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\nSec-WebSocket-Version: 13\r\n"
                           f"Authorization: Bearer {token}\r\n\r\n").encode())
        status, _ = http.reply()
        if status != 101:
            raise SystemExit(f"bench: the WebSocket was refused: {status}")
        self.sock, self.buffer = http.sock, http.buffer

    def frame(self, op, data):
        size = struct.pack("!BB", 0x80 | op, 0x80 | len(data)) if len(data) < 126 else \
            struct.pack("!BBH", 0x80 | op, 0x80 | 126, len(data))
        self.sock.sendall(size + b"\0\0\0\0" + data)

    def send(self, message):
        self.frame(1, json.dumps(message).encode())

    def need(self, count):
        while len(self.buffer) < count:
            piece = self.sock.recv(1 << 16)
            if not piece:
                raise SystemExit("bench: the server closed the WebSocket")
            self.buffer += piece

    def receive(self):
        while True:
            self.need(2)
            op, length, head = self.buffer[0] & 15, self.buffer[1] & 127, 2
            if length == 126:
                self.need(4)
                length, head = struct.unpack("!H", self.buffer[2:4])[0], 4
            elif length == 127:
                self.need(10)
                length, head = struct.unpack("!Q", self.buffer[2:10])[0], 10
            self.need(head + length)
            body, self.buffer = self.buffer[head:head + length], self.buffer[head + length:]
            if op == 1:
                message = json.loads(body)
                if message.get("op") == "error":
                    raise SystemExit(f"bench: the server says: {message}")
                return message
            if op == 9:
                self.frame(10, body)

    def until(self, wanted):
        while True:
            message = self.receive()
            if wanted(message):
                return message

    def until_end(self):
        """The events up to the end of the run."""
        events = []
        while not events or events[-1]["type"] != "run_end":
            message = self.receive()
            if message.get("op") == "event" and "seq" in message["event"]:
                events.append(message["event"])
        return events

    def close(self):
        self.sock.close()


def connect_ws(server):
    return WebSocket(server.port, server.token)


class Endpoint:
    def __init__(self, folder, script, scratch):
        with open(f"{scratch}/script.json", "w") as file:
            json.dump(script, file)
        self.process = subprocess.Popen([f"{folder}/scripted_endpoint", f"{scratch}/script.json"], stdout=subprocess.PIPE,
                                        text=True)
        self.port = int(self.process.stdout.readline().split()[1])
        self.http = Http(self.port)

    def requests(self):
        return self.http.ask("GET", "/_requests")

    def reset(self):
        self.http.ask("POST", "/_reset", {})

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Server:
    def __init__(self, binary, workspace, port=0, token=""):
        self.binary, self.workspace, self.port, self.token = binary, workspace, port, token
        self.process, self.http = None, Http(port, token)

    @property
    def pid(self):
        return self.process.pid

    def start(self):
        self.port = self.port or free_port()
        self.process = subprocess.Popen([self.binary, "serve", "--workspace-dir", self.workspace, "--port", str(self.port)],
                                        stdout=subprocess.DEVNULL)
        for _ in range(2000):
            try:
                Http(self.port).ask("GET", "/healthz")
                break
            except OSError:
                if self.process.poll() is not None:
                    raise SystemExit("bench: the server ended at its start")
                time.sleep(0.005)
        with open(f"{self.workspace}/.boxagnts/auth.json") as file:
            self.token = json.load(file)["api_token"]
        self.http = Http(self.port, self.token)

    def stop(self):
        self.http.close()
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait()
        self.process = None

    def get(self, path):
        return self.http.ask("GET", path)

    def post(self, path, body):
        return self.http.ask("POST", path, body)

    def worker(self):
        """The process id of the box worker."""
        for name in os.listdir("/proc"):
            if name.isdigit():
                try:
                    with open(f"/proc/{name}/stat") as stat, open(f"/proc/{name}/cmdline") as command:
                        parent, line = int(stat.read().rpartition(")")[2].split()[1]), command.read()
                except OSError:
                    continue
                if parent == self.pid and "--box-worker" in line:
                    return int(name)
        raise SystemExit("bench: there is no box worker")
