"""A server of our own and clients that do not behave: shared by the attack and flow suites (standard library only)."""
import base64
import json
import os
import re
import socket
import struct
import subprocess
import tempfile

TIMEOUT_S = 180  # of any single wait; nothing here measures time


class Server:
    """The real binary on a free port with a workspace of its own. Use as a context manager."""

    def __init__(self, unwire="", arguments=()):
        self.folder = tempfile.TemporaryDirectory(prefix="boxagnts-test-")
        home = self.folder.name
        environment = dict(os.environ, HOME=home, BX_UNWIRE=unwire, XDG_STATE_HOME=home + "/state",
                           XDG_CACHE_HOME=home + "/cache", XDG_DATA_HOME=home + "/data", XDG_CONFIG_HOME=home + "/config")
        self.workspace = home + "/w"
        self.log = open(home + "/log", "w+")
        self.process = subprocess.Popen(
            [os.environ["BOXAGNTS"], "--workspace-dir", self.workspace, "--port", "0", *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log, text=True, env=environment)
        seen = ""
        for line in self.process.stdout:
            seen += line
            found = re.search(r"http://127\.0\.0\.1:(\d+)/\?token=([0-9a-f]+)", line)
            if found:
                self.port, self.token = int(found[1]), found[2]
                break
        else:
            self.log.seek(0)
            why = seen + self.log.read()
            self.stop(started=False)
            raise RuntimeError("the server did not start: " + why)
        self.host = f"127.0.0.1:{self.port}"
        with open(self.workspace + "/.boxagnts/auth.json") as file:
            self.secrets = json.load(file)
        self.bearer = self.secrets["api_token"]
        self._cookie = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self, started=True):
        """A server that was hurt on the way (or leaked, under sanitizers) does not end with 0."""
        self.process.terminate()
        try:
            self.process.wait(TIMEOUT_S)
            self.log.seek(0)
            assert self.process.returncode == 0 or not started, self.log.read()
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            self.process.stdout.close()
            self.log.close()
            self.folder.cleanup()

    @property
    def cookie(self):
        """Signs in on first use."""
        if self._cookie is None:
            reply = self.request("GET", f"/?token={self.token}")
            assert reply.status == 303, reply
            self._cookie = reply.headers["set-cookie"].split(";")[0]
        return self._cookie

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), TIMEOUT_S)

    def raw(self, data):
        """Sends bytes, shuts the sending side, reads to the end: all replies as one text."""
        with self.connect() as s:
            try:
                s.sendall(data)
                s.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # refused while we were still sending
            return read_all(s)

    def request(self, method, path, body=None, headers=(), host=None):
        with self.connect() as s:
            s.sendall(request_bytes(method, path, host or self.host, body, headers))
            return read_reply(s, method == "HEAD")

    def api(self, method, path, body=None, headers=()):
        """As a program with its token; returns the reply with its parsed JSON."""
        return self.request(method, "/api/v1" + path, body, [("Authorization", "Bearer " + self.bearer), *headers])

    def websocket(self, headers=None, path="/ws"):
        return WebSocket(self, [("Cookie", self.cookie)] if headers is None else headers, path)


def request_bytes(method, path, host, body=None, headers=()):
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close"]
    payload = b""
    if body is not None:
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        lines += ["Content-Type: application/json", f"Content-Length: {len(payload)}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + payload


def read_all(s):
    data = b""
    try:
        while piece := s.recv(65536):
            data += piece
    except ConnectionError:
        pass  # reset after a refusal
    return data


def statuses(data):
    return [int(s) for s in re.findall(rb"HTTP/1\.1 (\d\d\d) ", data)]


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def __repr__(self):
        return f"{self.status} {self.headers} {self.body[:300]!r}"

    @property
    def json(self):
        return json.loads(self.body)


def read_reply(s, no_body=False):
    file = s.makefile("rb")
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = file.readline()
        if not line:
            raise EOFError(f"the connection ended in the head: {head!r}")
        head += line
    lines = head.decode("latin-1").split("\r\n")
    headers = {}
    for line in lines[1:-2]:
        name, value = line.split(": ", 1)
        assert name.lower() not in headers, f"{name} twice"
        headers[name.lower()] = value
    status = int(lines[0].split()[1])
    if status == 101:
        return Reply(status, headers, b"")
    body = b"" if no_body else file.read(int(headers.get("content-length", "0")))
    return Reply(status, headers, body)


class WebSocket:
    def __init__(self, server, headers, path):
        self.socket = server.connect()
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [f"GET {path} HTTP/1.1", f"Host: {server.host}", "Connection: Upgrade", "Upgrade: websocket",
                 "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}", *[f"{n}: {v}" for n, v in headers]]
        self.socket.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = self.socket.recv(1)
            if not byte:
                self.socket.close()
                raise EOFError(f"no handshake: {head!r}")
            head += byte
        self.status = int(head.split()[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def frame(self, first, payload, masked=True):
        length = len(payload)
        bit = 0x80 if masked else 0
        head = bytes([first]) + (bytes([length | bit]) if length < 126 else bytes([126 | bit]) + struct.pack(">H", length)
                                 if length < 65536 else bytes([127 | bit]) + struct.pack(">Q", length))
        mask = b"\x01\x02\x03\x04"
        body = bytes(c ^ mask[i % 4] for i, c in enumerate(payload)) if masked else payload
        return head + (mask if masked else b"") + body

    def send_frame(self, first, payload, masked=True):
        self.socket.sendall(self.frame(first, payload, masked))

    def say(self, **message):
        self.send_frame(0x81, json.dumps(message).encode())

    def _exactly(self, n):
        data = b""
        while len(data) < n:
            piece = self.socket.recv(n - len(data))
            if not piece:
                raise EOFError("the socket ended")
            data += piece
        return data

    def read_frame(self):
        first, second = self._exactly(2)
        length = second & 127
        if length == 126:
            length = struct.unpack(">H", self._exactly(2))[0]
        elif length == 127:
            length = struct.unpack(">Q", self._exactly(8))[0]
        return first & 15, self._exactly(length)

    def hear(self):
        """The next text message, parsed; answers pings."""
        while True:
            opcode, payload = self.read_frame()
            if opcode == 1:
                return json.loads(payload)
            if opcode == 9:
                self.send_frame(0x8a, payload)
            if opcode == 8:
                raise EOFError(f"closed with {struct.unpack('>H', payload[:2])[0]}")

    def hear_until(self, wanted):
        """Messages up to the first for which wanted(message) is true, that one included."""
        heard = []
        while not heard or not wanted(heard[-1]):
            heard.append(self.hear())
        return heard

    def close_code(self):
        """Reads up to the close frame; None when it has no code."""
        while True:
            opcode, payload = self.read_frame()
            if opcode == 8:
                return struct.unpack(">H", payload[:2])[0] if payload else None
